using HeartGrains.Diagnostics;
using Microsoft.Extensions.Hosting;

namespace HeartGrains.Live;

/// <summary>
/// Tells gateways what has changed of the targets they watch: at most each 100 ms one message to each gateway, however many hearts were given. The first
/// change after a quiet spell goes out at once.
/// </summary>
internal sealed class SiloLive : BackgroundService
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    // A thousand targets of 256 bytes are far below the largest message between silos and gateways.
    private const int MessageLimit = 1_000;

    private readonly SemaphoreSlim _hasNews = new(0);
    private readonly TimeProvider _time;

    public SiloLive(TimeProvider time)
    {
        _time = time;
        Board = new LiveBoard<ILiveObserver>(time, () => _hasNews.Release());
    }

    /// <summary>What is watched here.</summary>
    public LiveBoard<ILiveObserver> Board { get; }

    public override void Dispose()
    {
        _hasNews.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _hasNews.WaitAsync(stoppingToken);
            Tell();
            await Task.Delay(Tick, _time, stoppingToken);
        }
    }

    private void Tell()
    {
        foreach (var (observer, news) in Board.Collect())
        {
            var (updates, lost) = (news.Updates, news.Lost);
            for (var sent = 0; sent < Math.Max(updates.Count, lost.Count); sent += MessageLimit)
                _ = TellAsync(observer, new LiveBatch(Part(updates, sent), Part(lost, sent)));
        }
    }

    /// <summary>A gateway that is gone is not told; its watches end by themselves.</summary>
    private static async Task TellAsync(ILiveObserver observer, LiveBatch batch)
    {
        try
        {
            await observer.ToldAsync(batch);
        }
        catch (Exception)
        {
            // Orleans has counted it, and the next renewal of the watch tells what was lost.
        }
    }

    private static T[] Part<T>(List<T> all, int from) => from >= all.Count ? [] : [.. all.Skip(from).Take(MessageLimit)];
}
