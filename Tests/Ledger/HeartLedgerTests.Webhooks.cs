using HeartGrains.Audit;
using HeartGrains.Webhooks;

namespace HeartGrains.Tests.Ledger;

public abstract partial class HeartLedgerTests
{
    private IWebhookStore Webhooks => (IWebhookStore)Ledger;

    [Fact]
    public async Task AdvanceAsync_NewAndKnownTargets_WaitOnceEach()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        (await Webhooks.FindPlaceAsync("crm", Cancellation)).ShouldBeNull();

        await Webhooks.AdvanceAsync("crm", new EventPosition(7, first, 3), [new ChangedTarget(first, "post_1", 100), new ChangedTarget(second, "post_2", 50)], Cancellation);
        await Webhooks.AdvanceAsync("crm", new EventPosition(9, second, 4), [new ChangedTarget(first, "post_1", 900)], Cancellation);
        await Webhooks.AdvanceAsync("other", new EventPosition(1, first, 1), [new ChangedTarget(first, "post_1", 1)], Cancellation);

        (await Webhooks.FindPlaceAsync("crm", Cancellation)).ShouldBe(new EventPosition(9, second, 4));
        (await Webhooks.ListDueAsync("crm", 99, 10, Cancellation)).ShouldBe([new WaitingTarget(second, "post_2", 1, 0, 0)]);
        (await Webhooks.ListDueAsync("crm", 100, 10, Cancellation)).ShouldBe([new WaitingTarget(second, "post_2", 1, 0, 0), new WaitingTarget(first, "post_1", 2, 0, 0)]);
        (await Webhooks.ListDueAsync("crm", 100, 1, Cancellation)).Count.ShouldBe(1);
        (await Webhooks.CountAsync("crm", Cancellation)).ShouldBe((2, 0, 0));
    }

    [Fact]
    public async Task DeliveredAsync_ChangedMeanwhile_WaitsOn()
    {
        var target = Guid.NewGuid();
        await Webhooks.AdvanceAsync("crm", new EventPosition(1, target, 1), [new ChangedTarget(target, "post_1", 0)], Cancellation);
        var sent = (await Webhooks.ListDueAsync("crm", 0, 10, Cancellation))[0];
        await Webhooks.AdvanceAsync("crm", new EventPosition(2, target, 2), [new ChangedTarget(target, "post_1", 0)], Cancellation);

        await Webhooks.DeliveredAsync("crm", sent, 500, Cancellation);

        (await Webhooks.ListDueAsync("crm", 499, 10, Cancellation)).ShouldBeEmpty();
        var next = (await Webhooks.ListDueAsync("crm", 500, 10, Cancellation))[0];
        await Webhooks.DeliveredAsync("crm", next, 900, Cancellation);
        (await Webhooks.CountAsync("crm", Cancellation)).ShouldBe((0, 0, 0));
    }

    [Fact]
    public async Task FailedAsync_ThenDead_IsListedAndLivesAgainByHandOrChange()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        await Webhooks.AdvanceAsync("crm", new EventPosition(1, first, 1), [new ChangedTarget(first, "post_1", 0), new ChangedTarget(second, "post_2", 0)], Cancellation);
        foreach (var waiting in await Webhooks.ListDueAsync("crm", 0, 10, Cancellation)) await Webhooks.FailedAsync("crm", waiting, 11, 700, "answered 500", Cancellation);
        (await Webhooks.CountAsync("crm", Cancellation)).ShouldBe((2, 2, 0));
        (await Webhooks.ListDueAsync("crm", 699, 10, Cancellation)).ShouldBeEmpty();

        foreach (var waiting in await Webhooks.ListDueAsync("crm", 700, 10, Cancellation))
        {
            (waiting.Attempts, waiting.SinceMicros).ShouldBe((1, 11));
            await Webhooks.FailedAsync("crm", waiting, waiting.SinceMicros, null, "answered 502", Cancellation);
        }

        (await Webhooks.CountAsync("crm", Cancellation)).ShouldBe((0, 0, 2));
        (await Webhooks.ListDeadAsync("crm", "", 10, Cancellation)).ShouldBe([new DeadLetter("post_1", 2, 11, "answered 502"), new DeadLetter("post_2", 2, 11, "answered 502")]);
        (await Webhooks.ListDeadAsync("crm", "post_1", 10, Cancellation)).Count.ShouldBe(1);
        (await Webhooks.ResendAsync("crm", "post_3", 800, Cancellation)).ShouldBe(0);
        (await Webhooks.ResendAsync("crm", "post_2", 800, Cancellation)).ShouldBe(1);
        await Webhooks.AdvanceAsync("crm", new EventPosition(2, first, 2), [new ChangedTarget(first, "post_1", 800)], Cancellation);
        (await Webhooks.ListDueAsync("crm", 800, 10, Cancellation)).Select(waiting => (waiting.Attempts, waiting.SinceMicros)).ShouldBe([(0, 0), (0, 0)]);
        (await Webhooks.CountAsync("crm", Cancellation)).ShouldBe((2, 0, 0));
    }
}
