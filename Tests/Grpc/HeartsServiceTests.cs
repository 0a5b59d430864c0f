using Grpc.Core;
using HeartGrains.Tests.Gateway;
using HeartGrains.V1;

namespace HeartGrains.Tests.Grpc;

/// <summary>Each method against a real gateway, and that it does what HTTP does.</summary>
[Collection(GrpcCollection.Name)]
public sealed class HeartsServiceTests(GrpcServer server)
{
    private readonly string _target = HeartClient.Fresh("grpc \"ü\" ");

    [Fact]
    public async Task Give_NewThenAgain_IsOneHeartAlsoOverHttp()
    {
        var first = await server.Hearts.GiveAsync(new GiveRequest { TargetId = _target, UserId = "ann" });
        first.Created.ShouldBeTrue();
        (first.TargetId, first.UserId, first.Count, first.Version).ShouldBe((_target, "ann", 1, 1));
        first.GivenAt.ToDateTime().ShouldBe(TimeProvider.System.GetUtcNow().UtcDateTime, TimeSpan.FromMinutes(1));

        var again = await server.Hearts.GiveAsync(new GiveRequest { TargetId = _target, UserId = "ann" });
        again.Created.ShouldBeFalse();
        (again.Id, again.GivenAt, again.Count).ShouldBe((first.Id, first.GivenAt, 1));

        var http = await server.Http.GiveAsync(_target, "ann").JsonAsync();
        http.GetProperty("id").GetString().ShouldBe(first.Id);
        http.GetProperty("created").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Withdraw_GivenOverHttp_IsGoneForBoth()
    {
        await server.Http.GiveAsync(_target, "ann");
        var gone = await server.Hearts.WithdrawAsync(new WithdrawRequest { TargetId = _target, UserId = "ann" });
        (gone.TargetId, gone.UserId, gone.Count, gone.Version, gone.Removed).ShouldBe((_target, "ann", 0, 2, true));
        (await server.Hearts.WithdrawAsync(new WithdrawRequest { TargetId = _target, UserId = "ann" })).Removed.ShouldBeFalse();
        (await server.Http.ReadAsync(_target).JsonAsync()).GetProperty("count").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Get_TellsWhetherTheUserAskedAboutLovesIt()
    {
        await server.Http.GiveAsync(_target, "ann");
        (await server.Hearts.GetAsync(new GetRequest { TargetId = _target, UserId = "ann" })).ShouldBe(new TargetHearts { TargetId = _target, Count = 1, Version = 1, Hearted = true });
        (await server.Hearts.GetAsync(new GetRequest { TargetId = _target, UserId = "ben" })).Hearted.ShouldBeFalse();
        (await server.Hearts.GetAsync(new GetRequest { TargetId = _target })).HasHearted.ShouldBeFalse();
    }

    [Fact]
    public async Task Query_ManyTargets_AreToldInTheOrderAskedFor()
    {
        await server.Http.GiveAsync(_target, "ann");
        var request = new QueryRequest { UserId = "ann", TargetIds = { _target + " not loved", _target } };
        (await server.Hearts.QueryAsync(request)).Hearts.ShouldBe(
        [
            new TargetHearts { TargetId = _target + " not loved", Hearted = false },
            new TargetHearts { TargetId = _target, Count = 1, Version = 1, Hearted = true },
        ]);
    }

    [Fact]
    public async Task Users_PageByPage_AreAllOfThemLatestFirst()
    {
        foreach (var user in (string[])["ann", "ben", "cid"]) await server.Http.GiveAsync(_target, user);
        var first = await server.Hearts.UsersAsync(new UsersRequest { TargetId = _target, Limit = 2 });
        first.Users.Select(user => user.UserId).ShouldBe(["cid", "ben"]);
        var last = await server.Hearts.UsersAsync(new UsersRequest { TargetId = _target, Limit = 2, Cursor = first.NextCursor });
        last.Users.Select(user => user.UserId).ShouldBe(["ann"]);
        last.HasNextCursor.ShouldBeFalse();
        last.Users[0].Id.ShouldStartWith("h");

        var refused = await server.Hearts.UsersAsync(new UsersRequest { TargetId = _target + " other", Cursor = first.NextCursor }).ShouldBeRefusedAsync(StatusCode.InvalidArgument, "INVALID_CURSOR");
        refused.Fields().ShouldBe(["cursor"]);
    }

    [Fact]
    public async Task Give_WithoutAUser_IsTheReadersWhoseTokenComesBack()
    {
        using var call = server.Hearts.GiveAsync(new GiveRequest { TargetId = _target });
        var token = (await call.ResponseHeadersAsync).GetValue("heart-reader").ShouldNotBeNull();
        var first = await call;
        first.UserId.ShouldStartWith("reader:");

        var known = new Metadata { { "heart-reader", token } };
        var again = await server.Hearts.GiveAsync(new GiveRequest { TargetId = _target }, known);
        (again.UserId, again.Created).ShouldBe((first.UserId, false));
        (await server.Hearts.GetAsync(new GetRequest { TargetId = _target }, known)).Hearted.ShouldBeTrue();

        var forged = await server.Hearts.GiveAsync(new GiveRequest { TargetId = _target }, new Metadata { { "heart-reader", token[..^1] } });
        forged.Created.ShouldBeTrue();
    }

    [Fact]
    public async Task Give_TellsItsQuotaAndItsRequestId()
    {
        using var call = server.Hearts.GiveAsync(new GiveRequest { TargetId = _target, UserId = HeartClient.Fresh("user") }, new Metadata { { "x-request-id", "of-a-test" } });
        await call;
        var headers = await call.ResponseHeadersAsync;
        headers.GetValue("x-request-id").ShouldBe("of-a-test");
        headers.GetValue("ratelimit").ShouldNotBeNull();
        headers.GetValue("ratelimit-policy").ShouldNotBeNull();
    }

    [Fact]
    public async Task Calls_AreCountedAndTimedAsHttpsAre()
    {
        await server.Hearts.GiveAsync(new GiveRequest { TargetId = _target, UserId = "ann" });
        var before = await server.Http.GetStringAsync("/metrics");
        await server.Hearts.GiveAsync(new GiveRequest { TargetId = _target, UserId = "ann" });
        await server.Hearts.GiveAsync(new GiveRequest { UserId = "ann" }).ShouldBeRefusedAsync(StatusCode.InvalidArgument, "INVALID_FIELDS");
        foreach (var line in (string[])[
            "heartgrains_hearts_total{operation=\"give\",outcome=\"unchanged\"}",
            "heartgrains_hearts_total{operation=\"give\",outcome=\"invalid\"}",
            "heartgrains_request_seconds_count{route=\"grpc_give\",status=\"200\"}",
            "heartgrains_request_seconds_count{route=\"grpc_give\",status=\"400\"}"])
        {
            var after = await server.Http.GetStringAsync("/metrics");
            Value(after, line).ShouldBeGreaterThan(Value(before, line), line);
        }
    }

    private static double Value(string metrics, string name)
    {
        var line = metrics.Split('\n').SingleOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[(name.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
