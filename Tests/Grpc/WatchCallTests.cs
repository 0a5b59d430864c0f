using Grpc.Core;
using HeartGrains.Gateway.Grpc;
using HeartGrains.Gateway.Live;
using HeartGrains.V1;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Grpc;

/// <summary>A watch whose client does not read, or is silent, with a clock that the test moves.</summary>
public sealed class WatchCallTests : IDisposable
{
    private static readonly LiveMetrics Metrics = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Lifetime _lifetime = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Replies _replies = new();
    private readonly LiveOptions _options = new() { SlowTimeout = TimeSpan.FromSeconds(10) };
    private readonly LiveTopic _topic = new("post");
    private readonly WatchCall _call;
    private readonly LiveSubscription _subscription;

    public WatchCallTests()
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        _call = new WatchCall(_replies, context, _options, Metrics, _time, _ended.Token);
        _subscription = new LiveSubscription(_topic, _call.Outbox);
        _call.Outbox.Add(_subscription);
    }

    public void Dispose() => _ended.Dispose();

    [Fact]
    public async Task Run_ClientThatDoesNotRead_GetsTheLatestAndNoHistory()
    {
        var run = _call.RunAsync();
        Tell(1);
        await _replies.UntilAsync(1);
        for (var version = 2; version <= 1_000; version++) Tell(version);
        _replies.Take().Updates.ShouldBe([new WatchUpdate { TargetId = "post", Count = 1, Version = 1 }]);
        await _replies.UntilAsync(2);
        _replies.Take().Updates.ShouldBe([new WatchUpdate { TargetId = "post", Count = 1_000, Version = 1_000 }]);
        await _ended.CancelAsync();
        (await run).ShouldBe(LiveClose.Gone);
        _replies.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Check_WriteThatWaitsTooLong_EndsTheCall()
    {
        var run = _call.RunAsync();
        Tell(1);
        await _replies.UntilAsync(1);
        _time.Advance(TimeSpan.FromSeconds(9));
        _call.Check(_time.GetTimestamp());
        _lifetime.IsAborted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(2));
        _call.Check(_time.GetTimestamp());
        _lifetime.IsAborted.ShouldBeTrue();

        // The server cancels what belongs to an aborted call.
        await _ended.CancelAsync();
        (await run).ShouldBe(LiveClose.TooSlow);
    }

    [Fact]
    public async Task Check_NothingToTell_SaysThatSomebodyIsThere()
    {
        var run = _call.RunAsync();
        _time.Advance(TimeSpan.FromSeconds(24));
        _call.Check(_time.GetTimestamp());
        _replies.Count.ShouldBe(0);
        _time.Advance(TimeSpan.FromSeconds(2));
        _call.Check(_time.GetTimestamp());
        await _replies.UntilAsync(1);
        _replies.Take().ShouldBe(new WatchReply());
        await _ended.CancelAsync();
        await run;
    }

    [Fact]
    public async Task Tell_TargetsThatCannotBeRead_AreNamedUnavailable()
    {
        var run = _call.RunAsync();
        _call.Outbox.TellOnce(LiveError.Unavailable);
        await _replies.UntilAsync(1);
        _replies.Take().ShouldBe(new WatchReply { Unavailable = true });
        _call.Close(LiveClose.GoingAway);
        (await run).ShouldBe(LiveClose.GoingAway);
    }

    private void Tell(long version)
    {
        _topic.State = new LiveState("post", version, version);
        _call.Outbox.Mark(_subscription);
    }

    /// <summary>Writes wait until the test takes them.</summary>
    private sealed class Replies : IServerStreamWriter<WatchReply>
    {
        private readonly Lock _gate = new();
        private readonly SemaphoreSlim _written = new(0);
        private TaskCompletionSource _taken = null!;
        private WatchReply _reply = null!;

        public int Count { get; private set; }

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(WatchReply message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(WatchReply message, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                _reply = message;
                _taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                Count++;
                _written.Release();
                return _taken.Task.WaitAsync(cancellationToken);
            }
        }

        public async Task UntilAsync(int count)
        {
            (await _written.WaitAsync(TimeSpan.FromSeconds(60))).ShouldBeTrue();
            Count.ShouldBe(count);
        }

        public WatchReply Take()
        {
            lock (_gate)
            {
                _taken.SetResult();
                return _reply;
            }
        }
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; }

        public bool IsAborted { get; private set; }

        public void Abort() => IsAborted = true;
    }
}
