using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Identity;
using Microsoft.AspNetCore.Http;

namespace HeartGrains.Tests.Webhooks;

/// <summary>Webhooks of a running gateway, to a real receiver.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private const string Secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    private const string OperatorKey = "an operator's key of these tests";
    private readonly string _target = HeartClient.Fresh("t");
    private WebhookReceiver _receiver = null!;
    private GatewayServer _gateway = null!;

    private IEnumerable<Received> Mine => _receiver.Messages.Where(message => message.Body.Contains(_target, StringComparison.Ordinal));

    public async ValueTask InitializeAsync()
    {
        _receiver = await WebhookReceiver.StartAsync();
        _gateway = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task Heart_Given_IsToldSigned()
    {
        await _gateway.Client.GiveAsync(_target, "ann");

        await HeartSilo.UntilAsync(() => Task.FromResult(Mine.Any()));
        var message = Mine.First();
        message.Body.ShouldBe($"{{\"type\":\"hearts.changed\",\"data\":{{\"target_id\":\"{_target}\",\"count\":1,\"version\":1}}}}");
        message.Id.ShouldStartWith("msg_");
        var signed = Encoding.UTF8.GetBytes($"{message.Id}.{message.Timestamp}.{message.Body}");
        message.Signature.ShouldBe("v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(Secret["whsec_".Length..]), signed)));
        Math.Abs(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - message.Timestamp).ShouldBeLessThan(60);
    }

    [Fact]
    public async Task Hearts_Many_AreCoalescedAndTheLastStateArrives()
    {
        for (var user = 0; user < 100; user++) await _gateway.Client.GiveAsync(_target, $"u{user}");

        await HeartSilo.UntilAsync(() => Task.FromResult(Mine.LastOrDefault()?.Body.Contains("\"version\":100}", StringComparison.Ordinal) is true));
        var messages = Mine.ToArray();
        messages.Select(VersionOf).ShouldBe(messages.Select(VersionOf).Order());
        for (var next = 1; next < messages.Length; next++)
            Stopwatch.GetElapsedTime(messages[next - 1].ArrivedAt, messages[next].ArrivedAt).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(800));
    }

    [Fact]
    public async Task Openings_ImportedAndMoved_AreToldUnderEachName()
    {
        var page = "applause:a.example/" + _target;
        await _gateway.Client.GiveAsync(_target + "-new", "ann");
        using var imported = await SendAsync(_gateway, HttpMethod.Post, "imports/applause", $$"""[{"url":"https://a.example/{{_target}}","claps":5012}]""");
        imported.StatusCode.ShouldBe(HttpStatusCode.OK);
        await UntilLastAsync(page, "\"count\":0,\"version\":0,\"opening\":5012");

        // The first has an opening balance and no heart, the second neither.
        foreach (var from in (string[])[page, _target + "-old"])
        {
            using var moved = await SendAsync(_gateway, HttpMethod.Post, "admin/targets/move", $$"""{"from":"{{from}}","to":"{{_target}}-new","reason":"one page"}""");
            moved.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        foreach (var name in (string[])[page, _target + "-old", _target + "-new"]) await UntilLastAsync(name, "\"count\":1,\"version\":1,\"opening\":5012");
        Mine.GroupBy(static message => message.Id).ShouldAllBe(static same => same.Select(message => message.Body).Distinct().Count() == 1);
    }

    [Fact]
    public async Task Receiver_Failing_IsTriedAgainWithTheSameIdUntilItTakesIt()
    {
        var failures = 3;
        _receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = Interlocked.Decrement(ref failures) >= 0 ? 500 : 200;
            return Task.CompletedTask;
        };

        await _gateway.Client.GiveAsync(_target, "ann");

        await HeartSilo.UntilAsync(() => Task.FromResult(Mine.Count() == 4));
        Mine.Select(message => (message.Id, message.Body)).Distinct().Count().ShouldBe(1);
        await HeartSilo.UntilAsync(async () => (await StandingAsync()).GetProperty("pending").GetInt64() == 0);
    }

    [Fact]
    public async Task Receiver_FailingOnOneTarget_HearsOfTheOthers()
    {
        var other = HeartClient.Fresh("o");
        _receiver.Answer = (context, message) =>
        {
            context.Response.StatusCode = message.Body.Contains(_target, StringComparison.Ordinal) ? 500 : 200;
            return Task.CompletedTask;
        };
        await _gateway.Client.GiveAsync(_target, "ann");
        await HeartSilo.UntilAsync(() => Task.FromResult(Mine.Any()));

        await _gateway.Client.GiveAsync(other, "ann");

        await HeartSilo.UntilAsync(() => Task.FromResult(_receiver.Messages.Any(message => message.Body.Contains(other, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Receiver_RedirectingElsewhere_IsNotFollowed()
    {
        _receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        };

        await _gateway.Client.GiveAsync(_target, "ann");

        await HeartSilo.UntilAsync(() => Task.FromResult(Mine.Count() > 1));
        _receiver.WasRedirected.ShouldBeFalse();
        (await StandingAsync()).GetProperty("last_error").GetString().ShouldBe("answered 307");
    }

    [Fact]
    public async Task DeadLetter_Shown_IsSentAgainByHand()
    {
        await using var gateway = await StartAsync("--HeartGrains:Webhooks:GiveUpAfter=00:00:00.010");
        _receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        await gateway.Client.GiveAsync(_target, "ann");
        await HeartSilo.UntilAsync(async () => (await StandingAsync(gateway)).GetProperty("dead").GetInt64() == 1);

        var letter = (await StandingAsync(gateway)).GetProperty("dead_letters")[0];
        letter.GetProperty("target_id").GetString().ShouldBe(_target);
        letter.GetProperty("error").GetString().ShouldBe("answered 503");
        _receiver.Answer = (context, _) => Task.FromResult(context.Response.StatusCode = 200);
        _receiver.Messages.Clear();
        using var resent = await SendAsync(gateway, HttpMethod.Post, "admin/webhooks/resend", $$"""{"endpoint":"crm","target_id":"{{_target}}"}""");

        (await resent.Content.ReadAsStringAsync()).ShouldBe("""{"endpoint":"crm","targets":1}""");
        await HeartSilo.UntilAsync(() => Task.FromResult(Mine.Any()));
        await HeartSilo.UntilAsync(async () => (await StandingAsync(gateway)).GetProperty("dead").GetInt64() == 0);
    }

    private static long VersionOf(Received message) => JsonSerializer.Deserialize<JsonElement>(message.Body).GetProperty("data").GetProperty("version").GetInt64();

    private Task UntilLastAsync(string targetId, string state) => HeartSilo.UntilAsync(() => Task.FromResult(
        Mine.LastOrDefault(message => message.Body.Contains($"\"{targetId}\"", StringComparison.Ordinal))?.Body.Contains($"{state}}}", StringComparison.Ordinal) is true));

    private async Task<GatewayServer> StartAsync(params string[] settings)
    {
        var gateway = new GatewayServer([
            "--HeartGrains:Webhooks:Endpoints:0:Name=crm", $"--HeartGrains:Webhooks:Endpoints:0:Url={_receiver.Url}", $"--HeartGrains:Webhooks:Endpoints:0:Secret={Secret}",
            "--HeartGrains:Webhooks:RetryDelay=00:00:00.050",
            .. TestKeys.Switches(OperatorKey),
            .. settings,
        ]);
        await gateway.InitializeAsync();

        // An endpoint begins with what comes after it was first served.
        await HeartSilo.UntilAsync(async () =>
        {
            var probe = HeartClient.Fresh("probe");
            await gateway.Client.GiveAsync(probe, "u");
            return await SoonAsync(() => _receiver.Messages.Any(message => message.Body.Contains(probe, StringComparison.Ordinal)));
        });
        return gateway;
    }

    private static async Task<bool> SoonAsync(Func<bool> condition)
    {
        for (var attempt = 0; attempt < 50 && !condition(); attempt++) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        return condition();
    }

    private Task<JsonElement> StandingAsync() => StandingAsync(_gateway);

    private static async Task<JsonElement> StandingAsync(GatewayServer gateway)
    {
        using var answer = await SendAsync(gateway, HttpMethod.Get, "admin/webhooks", null);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return (await answer.JsonAsync()).GetProperty("endpoints")[0];
    }

    private static async Task<HttpResponseMessage> SendAsync(GatewayServer gateway, HttpMethod method, string route, string? body)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/" + route);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OperatorKey);
        return await gateway.Client.SendAsync(request);
    }
}
