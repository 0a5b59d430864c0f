using System.Net;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Hearts;

namespace HeartGrains.Tests.Gateway;

/// <summary>What a request is called, and what is logged of it.</summary>
public sealed class RequestDiagnosticsTests
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string TraceParent = $"00-{TraceId}-00f067aa0ba902b7-01";

    [Theory]
    [InlineData("order-42/a.b_c:d+e=f@g", null, "order-42/a.b_c:d+e=f@g")]
    [InlineData("order-42", TraceParent, "order-42")]
    [InlineData(null, TraceParent, TraceId)]
    [InlineData("not this one", TraceParent, TraceId)]
    [InlineData("a\"b", TraceParent, TraceId)]
    public async Task Answer_OfANamedRequest_BearsTheName(string? id, string? traceParent, string expected)
    {
        await using var server = await ScriptedServer.StartAsync();
        (await IdAsync(server, id, traceParent)).ShouldBe(expected);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("a b", null)]
    [InlineData(null, "00-nonsense")]
    [InlineData(null, "00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    public async Task Answer_WithoutAUsableName_BearsOneOfItsOwn(string? id, string? traceParent)
    {
        await using var server = await ScriptedServer.StartAsync();
        var first = await IdAsync(server, id, traceParent);
        var second = await IdAsync(server, id, traceParent);
        first.ShouldNotBeNullOrEmpty();
        second.ShouldNotBe(first);
        if (traceParent is not null) traceParent.ShouldNotContain(first);
    }

    [Fact]
    public async Task Answer_IdIsTooLong_BearsOneOfItsOwn()
    {
        await using var server = await ScriptedServer.StartAsync();
        (await IdAsync(server, new string('a', 128), null)).Length.ShouldBe(128);
        (await IdAsync(server, new string('a', 129), null)).Length.ShouldBeLessThan(60);
    }

    [Fact]
    public async Task Answer_OfAFailure_BearsTheNameAndIsLoggedOnceUnderIt()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Grains.Write = static (_, _) => Task.FromResult(ScriptedGrains.Refused(HeartOutcome.LedgerUnavailable));

        (await IdAsync(server, "order-42", null)).ShouldBe("order-42");

        server.Log.Lines.ShouldHaveSingleItem().ShouldMatch(
            "^POST give was answered with 503 ledger-unavailable after [0-9]+[.][0-9] ms[.] Request order-42; 0 more of this kind not told[.]");
    }

    [Fact]
    public async Task Log_UnderFlood_IsSampledAndCounts()
    {
        const int Calls = 300;
        await using var server = await ScriptedServer.StartAsync();
        server.Grains.Write = static (_, _) => Task.FromResult(ScriptedGrains.Refused(HeartOutcome.QueueFull));
        var started = TimeProvider.System.GetTimestamp();

        await Task.WhenAll(Enumerable.Range(0, Calls).Select(async _ => (await server.Client.GiveAsync("t", "u")).Dispose()));

        var periods = 1 + (int)TimeProvider.System.GetElapsedTime(started).TotalSeconds + 1;
        server.Log.Lines.Length.ShouldBeInRange(10, periods * 10);
        server.Log.Lines.Length.ShouldBeLessThan(Calls);
    }

    /// <summary>Who asks for what does not belong into logs.</summary>
    [Fact]
    public async Task Log_OfARefusal_NamesNobody()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Grains.Write = static (_, _) => Task.FromResult(ScriptedGrains.Refused(HeartOutcome.QueueFull));

        (await server.Client.GiveAsync("secret-target", "secret-user")).Dispose();

        server.Log.Lines.ShouldHaveSingleItem().ShouldNotContain("secret");
    }

    private static async Task<string> IdAsync(ScriptedServer server, string? id, string? traceParent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, HeartClient.Hearts) { Content = new StringContent("""{"target_id":"t","user_id":"u"}""", null, "application/json") };
        if (id is not null) request.Headers.TryAddWithoutValidation(RequestId.Header, id);
        if (traceParent is not null) request.Headers.TryAddWithoutValidation("traceparent", traceParent);
        using var answer = await server.Client.SendAsync(request);
        return answer.Headers.GetValues(RequestId.Header).Single();
    }
}
