namespace HeartGrains.Audit;

/// <summary>A block of the log, closed for good: all events behind the block before it, up to and including <paramref name="Position"/>.</summary>
/// <param name="Number">1, 2, 3 …</param>
/// <param name="Position">The <see cref="EventPosition.Order"/> of its last event.</param>
/// <param name="Events">How many events it holds.</param>
/// <param name="AtMicros">When it was sealed, in microseconds since 1970-01-01 UTC.</param>
/// <param name="Hash">See <see cref="EventChain"/>.</param>
/// <param name="Mac">A keyed hash of <paramref name="Hash"/>: whoever can write into the database but has not the key cannot make one.</param>
public sealed record EventSeal(long Number, long Position, long Events, long AtMicros, byte[] Hash, byte[] Mac)
{
    /// <summary>What is kept of it when it is the last.</summary>
    public SealHead Head => new(Number, Hash);
}
