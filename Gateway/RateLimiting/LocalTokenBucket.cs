namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// A token bucket of one 64-bit word, changed by compare-and-swap: no lock, no timer, no allocation. Thread-safe.
/// <para>
/// The upper 58 bits hold when the bucket is full again (GCRA's theoretical arrival time, in the units of <see cref="BucketTerms"/>; they
/// last for nine years of uptime), the lower 6 the number of prepaid tokens. Reading the clock costs several times what a decision
/// may, so it is read once for a batch: a batch is taken out of the bucket at once, and the next callers are given what is prepaid without
/// looking at the clock. The word 0 is a full bucket with nothing prepaid, so an array of zeros is an array of buckets.
/// </para>
/// <para>
/// In every window of W seconds at most limit + rate × W is admitted. The bucket behind holds the limit less the most that can be prepaid, B − 1:
/// in a window are given what was prepaid at its start, at most B − 1, and what is taken out within it, at most limit − (B − 1) + rate × W. An
/// admission counts as made at some moment within the call. What is lost: prepaid tokens do not grow while nobody calls, so after a pause a burst is up
/// to B − 1 tokens, less than a 64th of the limit, short. With B = 1 it is GCRA, exact to the token.
/// </para>
/// </summary>
public sealed class LocalTokenBucket
{
    private const int PrepaidBits = 6;
    private const long PrepaidMask = (1 << PrepaidBits) - 1;

    private readonly TimeProvider _clock;
    private readonly Lock _changing = new();
    private volatile BucketTerms _terms;
    private long _word;

    /// <summary>A full bucket.</summary>
    public LocalTokenBucket(BucketTerms terms, TimeProvider clock)
    {
        _terms = terms;
        _clock = clock;
        _word = terms.Batch - 1;
    }

    /// <summary>The terms in force.</summary>
    public BucketTerms Terms => _terms;

    /// <summary>Takes one token.</summary>
    public bool TryAcquire() => TryAcquire(out _);

    /// <summary>Takes one token, or says how long until there is one.</summary>
    /// <param name="waitTicks">When refused: ticks of the clock until a token is there if nobody else comes; otherwise 0.</param>
    public bool TryAcquire(out long waitTicks)
    {
        // What the loop below does first, here where it is inlined into the caller.
        waitTicks = 0;
        var seen = Volatile.Read(ref _word);
        return ((seen & PrepaidMask) != 0 && Interlocked.CompareExchange(ref _word, seen - 1, seen) == seen)
            || TryAcquire(ref _word, _terms, _clock, out waitTicks);
    }

    /// <summary>
    /// Changes limit and rate from now on. What was spent stays spent: a window that holds a change admits at most the largest limit in force
    /// within it, and what came at the rates in force. The rate can be anything from 0 to that of the first terms.
    /// </summary>
    public void Change(int tokenLimit, double tokensPerSecond)
    {
        lock (_changing) _terms = _terms.ChangedAt(_clock.GetTimestamp(), tokenLimit, tokensPerSecond);
    }

    /// <summary>Takes one token out of the bucket that <paramref name="word"/> is, or says how long until there is one.</summary>
    public static bool TryAcquire(ref long word, BucketTerms terms, TimeProvider clock, out long waitTicks)
    {
        waitTicks = 0;
        while (true)
        {
            var seen = Volatile.Read(ref word);
            if ((seen & PrepaidMask) != 0)
            {
                if (Interlocked.CompareExchange(ref word, seen - 1, seen) == seen) return true;
                continue;
            }

            // The clock is read after the word: a batch is never dated before the one it follows.
            var timestamp = clock.GetTimestamp();
            var now = terms.UnitsAt(timestamp);
            var fullAt = Math.Max((long)((ulong)seen >> PrepaidBits), now);
            var level = terms.Capacity - (fullAt - now);
            if (level < terms.Price)
            {
                if (fullAt - now > terms.LargestCapacity) fullAt = Recover(ref word, seen, now + terms.LargestCapacity);
                waitTicks = terms.TimestampOf(fullAt - terms.Capacity + terms.Price) - timestamp;
                return false;
            }

            var taken = terms.Batch == 1 ? 1 : Math.Min(terms.Batch, level / terms.Price);
            var next = Word(fullAt + taken * terms.Price, taken - 1);
            if (Interlocked.CompareExchange(ref word, next, seen) == seen) return true;
        }
    }

    /// <summary>A bucket that owes more than it ever held met a clock that went back; it goes on as an empty one.</summary>
    private static long Recover(ref long word, long seen, long emptyFullAt)
    {
        Interlocked.CompareExchange(ref word, Word(emptyFullAt, 0), seen);
        return emptyFullAt;
    }

    private static long Word(long fullAt, long prepaid) => (fullAt << PrepaidBits) | prepaid;
}
