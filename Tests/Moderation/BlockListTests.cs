using System.Reflection;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Moderation;

public sealed class BlockListTests
{
    private static readonly HeartId Ann = new(1, 1);
    private static readonly HeartId Ben = new(2, 2);
    private readonly FakeTimeProvider _time = new();
    private readonly BlockList _list;
    private readonly ListStore _store;

    public BlockListTests()
    {
        var store = DispatchProxy.Create<IModerationStore, ListStore>();
        _store = (ListStore)(object)store;
        _list = new BlockList(store, _time, NullLogger<BlockList>.Instance);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private long Forever => _time.NowMicros() + 10_000_000_000_000;

    [Fact]
    public async Task StartAsync_ListNotReadYet_WaitsForIt()
    {
        _store.Blocks = [new BlockEntry(Ann, Forever, 1)];
        var gate = new TaskCompletionSource();
        _store.OnRead = () => gate.Task;

        var starting = _list.StartAsync(Cancellation);
        starting.IsCompleted.ShouldBeFalse();
        gate.SetResult();
        await starting;

        _list.Find(Ann).ShouldNotBeNull();
        await _list.StopAsync(Cancellation);
    }

    [Fact]
    public async Task StartAsync_LedgerDown_StartsAndHearsOfItLater()
    {
        _store.OnRead = static () => throw new LedgerException("down");
        await _list.StartAsync(Cancellation);
        _store.OnRead = null;
        _store.Blocks = [new BlockEntry(Ann, Forever, 1)];

        await _list.RefreshAsync(Cancellation);

        _list.Find(Ann).ShouldNotBeNull();
        await _list.StopAsync(Cancellation);
    }

    [Fact]
    public async Task RefreshAsync_LedgerDownForLong_KeepsWhatIsKnownUntilTheListIsReadAnew()
    {
        var until = Forever;
        _store.Blocks = [new BlockEntry(Ann, until, 1), new BlockEntry(Ben, until, 2)];
        await _list.RefreshAsync(Cancellation);
        _time.Advance(TimeSpan.FromHours(13));
        _store.OnRead = static () => throw new LedgerException("down");

        await Should.ThrowAsync<LedgerException>(() => _list.RefreshAsync(Cancellation));
        (_list.IsAny, _list.Find(Ann), _list.Find(Ben)).ShouldBe((true, until, until));

        // Ann's ended meanwhile, and the ledger keeps no trace of it any more.
        _store.OnRead = null;
        _store.Blocks = [new BlockEntry(Ben, until, 2)];
        await _list.RefreshAsync(Cancellation);
        (_list.Find(Ann), _list.Find(Ben)).ShouldBe((null, until));
    }

    /// <summary>Only the list.</summary>
    public class ListStore : DispatchProxy
    {
        internal BlockEntry[] Blocks { get; set; } = [];

        internal Func<Task>? OnRead { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IModerationStore.ReadBlocksAsync) ? new ValueTask<IReadOnlyList<BlockEntry>>(ReadAsync((long)args![0]!, (int)args[1]!)) : throw new NotSupportedException(targetMethod.Name);

        private async Task<IReadOnlyList<BlockEntry>> ReadAsync(long after, int limit)
        {
            if (OnRead is { } hook) await hook();
            return [.. Blocks.Where(entry => entry.Revision > after).Take(limit)];
        }
    }
}
