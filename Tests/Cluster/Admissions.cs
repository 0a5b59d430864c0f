using System.Collections.Concurrent;

namespace HeartGrains.Tests.Cluster;

/// <summary>
/// What one key was given by a quota, as a client sees it. When a call was decided is not known, but it lies between its sending and its answer: a call
/// whose whole span lies in a window was surely decided in it. Thread-safe.
/// </summary>
internal sealed class Admissions
{
    private readonly ConcurrentQueue<Admission> _all = new();
    private long _tokens;

    /// <summary>Tokens given so far.</summary>
    public long Tokens => Interlocked.Read(ref _tokens);

    /// <summary>Adds a call that was let pass; times are of the monotonic clock.</summary>
    public void Add(long sentAt, long answeredAt, int tokens)
    {
        _all.Enqueue(new Admission(sentAt, answeredAt, tokens));
        Interlocked.Add(ref _tokens, tokens);
    }

    /// <summary>
    /// By how many tokens the worst of all windows is over <paramref name="limit"/> and what comes back in its length; at most 0 while the bound holds. The worst
    /// window starts at a sending and ends at an answer. Only windows of up to <paramref name="longest"/> are looked at, when it is given.
    /// </summary>
    public double LargestExcess(double limit, double tokensPerSecond, TimeSpan? longest = null)
    {
        var all = _all.OrderBy(static admission => admission.AnsweredAt).ToArray();
        var largest = double.NegativeInfinity;
        foreach (var start in all.Select(static admission => admission.SentAt))
        {
            var tokens = 0L;
            foreach (var admission in all)
            {
                if (admission.SentAt < start) continue;
                tokens += admission.Tokens;
                var window = TimeProvider.System.GetElapsedTime(start, admission.AnsweredAt);
                if (window > longest) break;
                largest = Math.Max(largest, tokens - limit - tokensPerSecond * window.TotalSeconds);
            }
        }

        return largest;
    }

    private readonly record struct Admission(long SentAt, long AnsweredAt, int Tokens);
}
