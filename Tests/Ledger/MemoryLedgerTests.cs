using HeartGrains.Ledger;
using HeartGrains.Ledger.Memory;

namespace HeartGrains.Tests.Ledger;

public sealed class MemoryLedgerTests : HeartLedgerTests
{
    protected override IHeartLedger OpenLedger() => new MemoryLedger();

    protected override Task<bool> HasUnfoldedAsync() => Task.FromResult(false);

    [Fact]
    public void EveryCall_CompletesSynchronously()
    {
        var story = new Story("post_1");
        ReadOnlyMemory<HeartEvent> batch = story.GiveMany("ann");

        bool[] completed =
        [
            Ledger.AppendAsync(batch).AsTask().IsCompletedSuccessfully,
            Ledger.LoadAsync(story.Target, 1, Cancellation).AsTask().IsCompletedSuccessfully,
            Ledger.FindHeartAsync(story.Target, story.Heart("ann"), Cancellation).AsTask().IsCompletedSuccessfully,
            Ledger.FoldAsync(1, Cancellation).AsTask().IsCompletedSuccessfully,
        ];

        completed.ShouldAllBe(done => done);
    }
}
