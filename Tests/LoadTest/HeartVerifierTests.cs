using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Report;

namespace HeartGrains.Tests.LoadTest;

/// <summary>The verifier must find each fault, and none where there is none.</summary>
public sealed class HeartVerifierTests
{
    [Theory]
    [InlineData(5_000_000)]
    [InlineData(300)]
    public async Task VerifyAsync_CorrectServer_FindsNothing(long users)
    {
        await using var server = await HeartServer.StartAsync();
        var (load, check) = await RunAsync(server, users);

        load.Succeeded.ShouldBe(load.Answered);
        check.Violations.ShouldBeEmpty();
        check.IsClean.ShouldBeTrue();
        check.Acknowledged.ShouldBeGreaterThan(0);
        check.Refused.ShouldBe(0);
        check.Unknown.ShouldBe(0);
    }

    [Theory]
    [InlineData(HeartServerFault.LosesHeart, HeartViolationKind.Lost)]
    [InlineData(HeartServerFault.LosesHeart, HeartViolationKind.CountTooLow)]
    [InlineData(HeartServerFault.CountsTwice, HeartViolationKind.CountTooHigh)]
    [InlineData(HeartServerFault.CountsTooFew, HeartViolationKind.CountTooLow)]
    [InlineData(HeartServerFault.StoresThoughRefused, HeartViolationKind.StoredThoughRefused)]
    public async Task VerifyAsync_WrongServer_FindsTheFault(HeartServerFault fault, HeartViolationKind expected)
    {
        await using var server = await HeartServer.StartAsync(fault);
        var (_, check) = await RunAsync(server, users: 5_000_000, requests: 600);

        check.IsClean.ShouldBeFalse();
        check.Violations.ShouldContain(violation => violation.Kind == expected);
        check.Violations.Count.ShouldBeLessThanOrEqualTo(HeartVerifyReport.ViolationsKept);
        check.ViolationCount.ShouldBeGreaterThanOrEqualTo(check.Violations.Count);
    }

    [Fact]
    public async Task VerifyAsync_EveryRepeatSaysCreated_FindsHeartsCreatedTwice()
    {
        await using var server = await HeartServer.StartAsync(HeartServerFault.CreatesTwice);
        var (_, check) = await RunAsync(server, users: 20);

        check.Violations.ShouldContain(violation => violation.Kind == HeartViolationKind.CreatedTwice);
    }

    [Theory]
    [InlineData(HeartServerFault.LosesAnswer)]
    [InlineData(HeartServerFault.CutsConnection)]
    public async Task VerifyAsync_AnswersLostButStored_CountsThemAsUnknownAndFindsNothing(HeartServerFault fault)
    {
        await using var server = await HeartServer.StartAsync(fault);
        var (load, check) = await RunAsync(server, users: 5_000_000);

        (load.Broken + load.Answers.GetValueOrDefault(504)).ShouldBeGreaterThan(0);
        check.Violations.ShouldBeEmpty();
        check.Unknown.ShouldBeGreaterThan(0);
        check.UnknownStored.ShouldBe(check.Unknown);
    }

    [Fact]
    public async Task VerifyAsync_ServerForgetsAnUnknownHeartAfterCountingIt_FindsTheCountTooHigh()
    {
        await using var server = await HeartServer.StartAsync();
        var names = HeartNames.Fresh();
        var history = new HeartHistory(names, targets: 1, limit: 1000);
        history.TakePage()!.Add(new HeartAttempt(0, 1, HeartFate.Unknown));
        using var http = new HttpClient();
        using var body = new StringContent($$"""{"target_id":"{{names.Target(0)}}","user_id":"somebody-else"}""");
        using var answer = await http.PostAsync(new Uri(server.Url, "/api/v1/hearts"), body, TestContext.Current.CancellationToken);

        var check = await HeartVerifier.VerifyAsync(history, new() { Urls = [server.Url] }, cancellationToken: TestContext.Current.CancellationToken);

        check.Violations.ShouldHaveSingleItem().Kind.ShouldBe(HeartViolationKind.CountTooHigh);
    }

    [Fact]
    public async Task VerifyAsync_ReadsFail_SaysThatNothingCouldBeChecked()
    {
        await using var server = await HeartServer.StartAsync(HeartServerFault.ReadsFail);
        var load = await LoadAsync(server, users: 1000, requests: 200);

        var check = await HeartVerifier.VerifyAsync(
            load.History!, new() { Urls = [server.Url], Settle = TimeSpan.FromMilliseconds(50) }, cancellationToken: TestContext.Current.CancellationToken);

        check.IsClean.ShouldBeFalse();
        check.Violations.ShouldHaveSingleItem().Kind.ShouldBe(HeartViolationKind.Unreadable);
    }

    [Fact]
    public async Task VerifyAsync_OneOfTwoGatewaysGone_ChecksThroughTheOther()
    {
        await using var server = await HeartServer.StartAsync();
        var load = await LoadAsync(server, users: 1000, requests: 200);

        var check = await HeartVerifier.VerifyAsync(
            load.History!,
            new() { Urls = [new Uri("http://127.0.0.1:1"), server.Url], Settle = TimeSpan.FromMilliseconds(200) },
            cancellationToken: TestContext.Current.CancellationToken);

        check.IsClean.ShouldBeTrue();
        check.Targets.ShouldBeGreaterThan(0);
    }

    private static async Task<(HeartLoadReport Load, HeartVerifyReport Check)> RunAsync(HeartServer server, long users, int requests = 4000)
    {
        var load = await LoadAsync(server, users, requests);
        return (load, await HeartVerifier.VerifyAsync(load.History!, new() { Urls = [server.Url] }, cancellationToken: TestContext.Current.CancellationToken));
    }

    /// <summary>Loads until the history is full, so that a run is as long as it must be and no longer.</summary>
    private static Task<HeartLoadReport> LoadAsync(HeartServer server, long users, int requests) => HeartLoad.RunAsync(
        new()
        {
            Urls = [server.Url],
            Duration = TimeSpan.FromMinutes(1),
            Connections = 4,
            Targets = 20,
            Users = users,
            KeepHistory = true,
            HistoryLimit = requests,
            Seed = 1,
        },
        cancellationToken: TestContext.Current.CancellationToken);
}
