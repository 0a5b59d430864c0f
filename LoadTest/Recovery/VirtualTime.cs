namespace HeartGrains.LoadTest.Recovery;

/// <summary>A clock that stands where it was set: nobody waits in a simulation.</summary>
internal sealed class VirtualTime : TimeProvider
{
    /// <summary>Since the beginning.</summary>
    public TimeSpan Now { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Now.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Now;
}
