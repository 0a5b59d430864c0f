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
        if (time.GetElapsedTime(_askedAt) > Memory)
        {
            _revision = 0;
            _blocks.Clear();
        }

        IReadOnlyList<BlockEntry> page;
        do
        {
            page = await store.ReadBlocksAsync(_revision, PageLimit, cancellationToken);
            foreach (var entry in page) Note(entry);
            if (page.Count > 0) _revision = page[^1].Revision;
        }
        while (page.Count == PageLimit);

        _askedAt = time.GetTimestamp();
        Forget();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isFailing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RefreshAsync(stoppingToken);
                isFailing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Who is blocked stays blocked; nothing here is worth the end of the host.
                if (!isFailing) Log.NotRefreshed(logger, exception);
                isFailing = true;
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(Period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
