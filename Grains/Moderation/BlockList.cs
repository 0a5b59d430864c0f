using System.Collections.Concurrent;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Moderation;

/// <summary>
/// The users who may not give hearts, in this silo's memory: asked of the ledger each second by what has changed, told at once what this silo was ordered, and kept as last known while the ledger is
/// down. A block ends by this silo's clock. Safe for concurrent use.
/// </summary>
internal sealed partial class BlockList(IModerationStore store, TimeProvider time, ILogger<BlockList> logger) : BackgroundService
{
    private const int PageLimit = 1_000;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    // An ended block stays in the ledger for a day; who has not asked for longer begins anew.
    private static readonly TimeSpan Memory = TimeSpan.FromHours(12);

    private readonly ConcurrentDictionary<HeartId, (long UntilMicros, long Revision)> _blocks = new();
    private volatile bool _isAny;
    private bool _isFailing;
    private long _revision;
    private long _askedAt = time.GetTimestamp();

    /// <summary>Somebody is on the list, though perhaps no longer blocked.</summary>
    public bool IsAny => _isAny;

    /// <summary>Until when the user is blocked, in microseconds since 1970-01-01 UTC; null when not.</summary>
    public long? Find(HeartId user) => _blocks.TryGetValue(user, out var block) && block.UntilMicros > NowMicros() ? block.UntilMicros : null;

    /// <summary>Takes note of a change; one that was overtaken by a newer one says nothing.</summary>
    public void Note(in BlockEntry entry)
    {
        var news = (entry.UntilMicros, entry.Revision);
        _blocks.AddOrUpdate(entry.User, static (_, news) => news, static (_, known, news) => known.Revision > news.Revision ? known : news, news);
        _isAny = true;
    }

    /// <summary>Catches up with the ledger.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        // Until the whole list is there, what was known of it holds.
        var isAnew = time.GetElapsedTime(_askedAt) > Memory;
        var (askedAt, revision) = (time.GetTimestamp(), isAnew ? 0 : _revision);
        var seen = isAnew ? new HashSet<HeartId>() : null;
        IReadOnlyList<BlockEntry> page;
        do
        {
            page = await store.ReadBlocksAsync(revision, PageLimit, cancellationToken);
            foreach (var entry in page)
            {
                Note(entry);
                seen?.Add(entry.User);
            }

            if (page.Count > 0) revision = page[^1].Revision;
        }
        while (page.Count == PageLimit);

        if (seen is not null)
        {
            foreach (var (user, block) in _blocks)
                if (block.Revision <= Math.Max(revision, _revision) && !seen.Contains(user)) _blocks.TryRemove(new(user, block));
        }

        (_revision, _askedAt) = (revision, askedAt);
        Forget();
    }

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Hosts take no call before this has ended: nobody passes because the list is not read yet. A ledger that is down then is told by what opens it.
        await TryRefreshAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await TryRefreshAsync(stoppingToken);
        }
    }

    private async Task TryRefreshAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RefreshAsync(stoppingToken);
            _isFailing = false;
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // Who is blocked stays blocked; nothing here is worth the end of the host.
            if (!_isFailing) Log.NotRefreshed(logger, exception);
            _isFailing = true;
        }
        catch (OperationCanceledException)
        {
            // The host leaves.
        }
    }

    private void Forget()
    {
        if (!_isAny) return;
        var now = NowMicros();
        foreach (var (user, block) in _blocks)
            if (block.UntilMicros <= now && block.Revision <= _revision) _blocks.TryRemove(new(user, block));
        if (!_blocks.IsEmpty) return;
        _isAny = false;

        // Somebody may have been noted in between.
        if (!_blocks.IsEmpty) _isAny = true;
    }

    private long NowMicros() => time.NowMicros();

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The list of blocked users cannot be refreshed; who was blocked stays so until their time is over", EventName = "BlocksNotRefreshed")]
        public static partial void NotRefreshed(ILogger logger, Exception exception);
    }
}
