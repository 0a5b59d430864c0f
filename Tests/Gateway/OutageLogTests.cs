using System.Net;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Gateway;

/// <summary>What a process with a silo in it logs while its ledger is not asked, however many callers find out.</summary>
public sealed class OutageLogTests : IAsyncLifetime
{
    private const string OperatorKey = "an operator's key of tests";
    private const int Calls = 300;

    private readonly GatewayServer _server = new([.. TestKeys.Switches(OperatorKey), "--HeartGrains:Breakers:Hearts:MinimumCalls=1000000"]);

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Log_LedgerForcedOpen_IsBoundedAndNamesNobody()
    {
        await _server.ForceOpenAsync("ledger", OperatorKey);
        var started = TimeProvider.System.GetTimestamp();

        await ManyAsync(static (client, call) => client.ReadAsync($"secret-target-{call}"));
        await ManyAsync(static (client, call) => client.GiveAsync($"secret-target-{call}", $"secret-user-{call}"));
        await ManyAsync(static (client, call) => client.WithdrawAsync($"secret-target-{call}", $"secret-user-{call}"));

        // Begun seconds, one more for the start of each.
        var seconds = 2 + (int)TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var lines = _server.Log.All.ToLookup(static line => line.Category, static line => line.Text);
        lines["HeartGrains.Hearts.UnreadTargets"].Count().ShouldBeInRange(1, seconds);
        lines["HeartGrains.Hearts.UnreadTargets"].ShouldAllBe(static line => !line.Contains("   at ", StringComparison.Ordinal));

        // The refused requests' own, and the breaker's change.
        lines["HeartGrains.Gateway.Diagnostics.RequestLog"].Count().ShouldBeInRange(1, 10 * seconds);
        _server.Log.Lines.Length.ShouldBeLessThan((11 * seconds) + 10);
        _server.Log.Lines.Where(static line => line.Contains("secret", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private async Task ManyAsync(Func<HttpClient, int, Task<HttpResponseMessage>> send) => await Task.WhenAll(Enumerable.Range(0, Calls).Select(async call =>
    {
        using var answer = await send(_server.Client, call);
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }));
}
