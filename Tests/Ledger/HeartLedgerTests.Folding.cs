using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Ledger;

public abstract partial class HeartLedgerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(20261)]
    [InlineData(777)]
    public async Task FoldAsync_RandomBatchesAndFolds_ProjectionsAreTheFoldOfTheLog(int seed)
    {
        var random = new Random(seed);
        Story[] stories = [.. Enumerable.Range(0, 6).Select(i => new Story($"target {i}"))];
        for (var round = 0; round < 40; round++)
        {
            var batch = new List<HeartEvent>();
            for (var i = random.Next(1, 30); i > 0; i--)
                batch.Add(stories[random.Next(stories.Length)].Toggle($"user {random.Next(12)}"));
            await AppendAsync([.. batch]);

            if (random.Next(3) == 0)
                await Ledger.FoldAsync(random.Next(1, 40), Cancellation);
            await ShouldHoldAsync(stories[random.Next(stories.Length)]);
        }

        await FoldAllAsync(limit: 17);

        foreach (var story in stories)
            await ShouldBeFoldedAsync(story);
        (await Ledger.ListTopAsync(100, Cancellation)).ShouldBe(stories
            .Where(story => story.Users.Length > 0)
            .OrderByDescending(story => story.Users.Length).ThenBy(story => story.Target)
            .Select(story => story.Top));
    }

    [Fact]
    public async Task FoldAsync_TwoFoldersAndAWriterAtOnce_CountsAreExact()
    {
        Story[] stories = [.. Enumerable.Range(0, 5).Select(i => new Story($"target {i}"))];
        HeartEvent[][] batches = [.. Enumerable.Range(0, 60).Select(round =>
            stories.SelectMany((story, i) => new[] { story.Toggle($"user {round % 7}"), story.Toggle($"user {(round * i) % 11}") }).ToArray())];
        using var done = new CancellationTokenSource();
        IHeartLedger[] folders = [OpenFolder(), OpenFolder()];
        foreach (var folder in folders)
            await folder.InitializeAsync(Key, Cancellation);

        var folding = folders.Select(folder => Task.Run(
            async () =>
            {
                var folded = 0;
                while (!done.IsCancellationRequested)
                    folded += await folder.FoldAsync(9, CancellationToken.None);
                return folded;
            },
            Cancellation)).ToArray();
        foreach (var batch in batches)
            await AppendAsync(batch);
        await done.CancelAsync();
        var folded = (await Task.WhenAll(folding)).Sum();

        folded.ShouldBeLessThanOrEqualTo(batches.Sum(batch => batch.Length));
        await FoldAllAsync();
        foreach (var story in stories)
            await ShouldBeFoldedAsync(story);
        foreach (var folder in folders.Where(folder => !ReferenceEquals(folder, Ledger)))
            await CloseAsync(folder);
    }

    /// <summary>A ledger to fold with beside <see cref="Ledger"/>; itself where a store belongs to one process.</summary>
    protected virtual IHeartLedger OpenFolder() => Ledger;
}
