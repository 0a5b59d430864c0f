using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Overload;

public sealed class OverloadMiddlewareTests
{
    [Fact]
    public async Task Call_TooManyInFlight_IsRefusedUntilOneEnds()
    {
        await using var server = await GuardedServer.StartAsync(("MaxInFlight", "2"));
        var waiting = new[] { server.Client.GetAsync("/api/wait"), server.Client.GetAsync("/api/wait") };
        await server.EnteredAsync();
        await server.EnteredAsync();

        using var refused = await server.Client.GetAsync("/api/quick");
        await refused.ShouldBeProblemAsync(503, "temporary-reduced-capacity");
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));

        server.Release();
        foreach (var response in await Task.WhenAll(waiting)) response.EnsureSuccessStatusCode().Dispose();
        await server.EmptyAsync();
        (await server.Client.GetStringAsync("/api/quick")).ShouldBe("quick");
    }

    [Fact]
    public async Task Call_OtherKindIsFull_IsAdmitted()
    {
        await using var server = await GuardedServer.StartAsync(("MaxInFlight", "1"));
        var waiting = server.Client.GetAsync("/api/wait");
        await server.EnteredAsync();

        using var write = await server.Client.PostAsync("/api/quick", null);
        write.EnsureSuccessStatusCode();

        server.Release();
        (await waiting).Dispose();
    }

    [Fact]
    public async Task Call_OutsideTheApiOrExempt_IsNeverRefused()
    {
        await using var server = await GuardedServer.StartAsync(("MaxInFlight", "1"));
        var waiting = server.Client.GetAsync("/api/wait");
        await server.EnteredAsync();

        for (var call = 0; call < 20; call++)
        {
            (await server.Client.GetStringAsync("/health")).ShouldBe("well");
            (await server.Client.GetStringAsync("/api/stream")).ShouldBe("stream");
        }

        server.Reads.InFlight.ShouldBe(1);
        server.Release();
        (await waiting).Dispose();
    }

    [Fact]
    public async Task Call_AbortedOrFailed_IsNoLongerInFlight()
    {
        await using var server = await GuardedServer.StartAsync(("MaxInFlight", "8"));
        using var leave = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 8).Select(_ => server.Client.GetAsync("/api/wait", leave.Token)).ToArray();
        for (var call = 0; call < waiting.Length; call++) await server.EnteredAsync();
        server.Reads.InFlight.ShouldBe(8);

        await leave.CancelAsync();
        foreach (var call in waiting) await Should.ThrowAsync<OperationCanceledException>(call);
        await server.EmptyAsync();

        using var failed = await server.Client.GetAsync("/api/fail");
        await failed.ShouldBeProblemAsync(500, "internal-error");
        await server.EmptyAsync();
    }

    [Fact]
    public async Task Call_GuardSwitchedOff_IsAdmitted()
    {
        await using var server = await GuardedServer.StartAsync(("MaxInFlight", "1"), ("Enabled", "false"));
        var waiting = server.Client.GetAsync("/api/wait");
        await server.EnteredAsync();

        (await server.Client.GetStringAsync("/api/quick")).ShouldBe("quick");

        server.Release();
        (await waiting).Dispose();
    }
}
