using Grpc.Core;
using Grpc.Health.V1;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Live;
using HeartGrains.V1;

namespace HeartGrains.Tests.Grpc;

/// <summary>What one client sees of <c>Watch</c>.</summary>
[Collection(GrpcCollection.Name)]
public sealed class WatchTests(GrpcServer server)
{
    private readonly string _target = HeartClient.Fresh("watched ");

    [Fact]
    public async Task Watch_TellsTheStateAndThenAHeartGivenOverHttp()
    {
        await server.Http.GiveAsync(_target, "ann");
        using var call = server.Hearts.Watch(new WatchRequest { TargetIds = { _target, _target + " empty" } }, deadline: Soon());
        await UntilAsync(call, _target, 1);
        await server.Http.GiveAsync(_target, "ben");
        (await UntilAsync(call, _target, 2)).Version.ShouldBe(2);
        await server.Http.GiveAsync(_target + " empty", "ben");
        await UntilAsync(call, _target + " empty", 1);
    }

    [Fact]
    public async Task Watch_OfAKnownVersion_TellsOnlyWhatIsNewer()
    {
        await server.Http.GiveAsync(_target, "ann");
        using var call = server.Hearts.Watch(new WatchRequest { TargetIds = { _target }, KnownVersions = { [_target] = 1 } }, deadline: Soon());
        await call.ResponseHeadersAsync;
        await server.Http.GiveAsync(_target, "ben");
        (await call.ResponseStream.MoveNext()).ShouldBeTrue();
        call.ResponseStream.Current.Updates.ShouldBe([new WatchUpdate { TargetId = _target, Count = 2, Version = 2 }]);
    }

    [Fact]
    public async Task Watch_ItsDeadline_EndsIt()
    {
        using var call = server.Hearts.Watch(new WatchRequest { TargetIds = { _target } }, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(1));
        var ended = await Should.ThrowAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext())
            {
            }
        });
        ended.StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
        await UntilNoneAsync(server);
    }

    [Fact]
    public async Task Watch_SeatsOfAnAddress_AreSharedWithWebSockets()
    {
        await using var small = await GrpcServer.StartAsync("--HeartGrains:Live:MaxConnectionsPerAddress=2");
        await using var socket = await LiveClient.WatchAsync(small.Gateway.Url, _target);
        await socket.UntilCountAsync(_target, 0);
        using (var call = small.Hearts.Watch(new WatchRequest { TargetIds = { _target } }, deadline: Soon()))
        {
            await UntilAsync(call, _target, 0);
            using var third = small.Hearts.Watch(new WatchRequest { TargetIds = { _target } }, deadline: Soon());
            var refused = GrpcClient.Checked(await Should.ThrowAsync<RpcException>(() => third.ResponseStream.MoveNext()), StatusCode.ResourceExhausted, "TOO_MANY_CONNECTIONS");
            refused.RetrySeconds().ShouldBe(10);

            // What else lasts as long as a client likes takes a seat too; what is asked once does not.
            var health = new Health.HealthClient(small.Channel);
            using var fourth = health.Watch(new HealthCheckRequest(), deadline: Soon());
            GrpcClient.Checked(await Should.ThrowAsync<RpcException>(() => fourth.ResponseStream.MoveNext()), StatusCode.ResourceExhausted, "TOO_MANY_CONNECTIONS");
            (await health.CheckAsync(new HealthCheckRequest())).Status.ShouldBe(HealthCheckResponse.Types.ServingStatus.Serving);
        }

        // The seat comes back when the call is cancelled.
        await LiveClient.UntilAsync(() => Connections(small) == 1, "one is left");
        using var again = small.Hearts.Watch(new WatchRequest { TargetIds = { _target } }, deadline: Soon());
        await UntilAsync(again, _target, 0);
    }

    [Fact]
    public async Task Watch_TargetsOfAnAddress_AreLimited()
    {
        await using var small = await GrpcServer.StartAsync("--HeartGrains:Live:MaxTargetsPerAddress=2", "--HeartGrains:Live:MaxTargets=3");
        using var call = small.Hearts.Watch(new WatchRequest { TargetIds = { "a", "b", "c" } }, deadline: Soon());
        GrpcClient.Checked(await Should.ThrowAsync<RpcException>(() => call.ResponseStream.MoveNext()), StatusCode.ResourceExhausted, "TOO_MANY_CONNECTIONS");

        // Nothing of it is left behind.
        using var two = small.Hearts.Watch(new WatchRequest { TargetIds = { "a", "b" } }, deadline: Soon());
        await UntilAsync(two, "b", 0);
        using var many = small.Hearts.Watch(new WatchRequest { TargetIds = { "a", "b", "c", "d" } }, deadline: Soon());
        GrpcClient.Checked(await Should.ThrowAsync<RpcException>(() => many.ResponseStream.MoveNext()), StatusCode.InvalidArgument, "INVALID_FIELDS").Fields().ShouldBe(["target_ids"]);
    }

    [Fact]
    public async Task Watch_WhenTheGatewayStops_IsToldToComeBack()
    {
        await using var stopping = await GrpcServer.StartAsync();
        using var call = stopping.Hearts.Watch(new WatchRequest { TargetIds = { _target } }, deadline: Soon());
        await UntilAsync(call, _target, 0);
        var stop = stopping.Gateway.StopAsync();
        var ended = await Should.ThrowAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext())
            {
            }
        });
        GrpcClient.Checked(ended, StatusCode.Unavailable, "UNAVAILABLE");
        await stop;
    }

    private static DateTime Soon() => TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(30);

    private static async Task<WatchUpdate> UntilAsync(AsyncServerStreamingCall<WatchReply> call, string target, long count)
    {
        while (await call.ResponseStream.MoveNext())
            if (call.ResponseStream.Current.Updates.LastOrDefault(update => update.TargetId == target && update.Count == count) is { } update) return update;
        throw new InvalidOperationException($"{target} never had {count} hearts.");
    }

    private static Task UntilNoneAsync(GrpcServer server) => LiveClient.UntilAsync(() => Targets(server) == 0, "nothing is watched any more");

    private static int Targets(GrpcServer server) => Service<HeartGrains.Gateway.Live.LiveHub>(server).Count;

    private static int Connections(GrpcServer server) => Service<HeartGrains.Gateway.Live.LiveConnections>(server).Count;

    private static T Service<T>(GrpcServer server) => (T)server.Gateway.Services.GetService(typeof(T))!;
}
