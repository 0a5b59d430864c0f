using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Hearts;

namespace HeartGrains.Tests.Users;

/// <summary>What an erasure keeps in memory. The heap is the whole process', so nothing runs beside.</summary>
[Collection(nameof(AloneCollection))]
public sealed class UserMemoryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>An activation that stayed, or a row that was kept, would show: each heart's would be some kilobytes.</summary>
    [Theory]
    [InlineData(4_000, 24L << 20)]
    [InlineData(100_000, 150L << 20, Explicit = true)]
    public async Task Erase_ManyHearts_EndsInBoundedMemory(int count, long byteLimit)
    {
        using var store = HeartStore.Sqlite();
        await using var silo = await HeartSilo.StartAsync(store);
        const int BatchSize = 500;
        for (var start = 0; start < count; start += BatchSize)
        {
            HeartEvent[] batch = [.. Enumerable.Range(start, BatchSize).Select(index =>
            {
                var target = silo.Keys.OfTarget($"post {index}");
                return new HeartEvent(target, 1, $"post {index}", silo.Keys.OfHeart(target, "ann"), "ann", HeartEventKind.Given, 1 + index, 7);
            }).OrderBy(row => row.Target)];
            (await silo.Ledger.Inner.AppendAsync(batch)).ShouldBe(AppendOutcome.Committed);
        }

        var desk = silo.Grains.GetGrain<IJobDeskGrain>(0);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (most, started) = (0L, TimeProvider.System.GetTimestamp());
        var job = (await desk.StartAsync(new JobOrder("erase-user", "ann", """{"user_id":"ann"}""", "key:op"), Cancellation)).Job!;
        for (; job.State == JobState.Running; job = (await desk.ReadAsync(job.Id, Cancellation)).Job!)
        {
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
        }

        var took = TimeProvider.System.GetElapsedTime(started);
        job.Progress.ShouldBe($$"""{"hearts":{{count}},"rows":{{2 * count}}}""");
        var left = 0L;
        await HeartSilo.UntilAsync(() => Task.FromResult((left = GC.GetTotalMemory(forceFullCollection: true) - before) < byteLimit / 8));
        TestContext.Current.SendDiagnosticMessage($"{count} hearts: {took.TotalSeconds:F1} s, heap grew by {most >> 20} MB at most, {left >> 20} MB at the end");
        most.ShouldBeLessThan(byteLimit);
    }
}
