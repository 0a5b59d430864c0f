namespace HeartGrains.LoadTest.Recovery;

/// <summary>What one caller did until it had its first success.</summary>
internal sealed class CallerTrace
{
    /// <summary>From the moment the service was well until the success.</summary>
    public TimeSpan TimeToRecover { get; set; }

    /// <summary>How often it began to try: once, and again after each time that it was given up.</summary>
    public int Operations { get; set; }

    /// <summary>Requests sent to the service for it.</summary>
    public int Requests { get; set; }

    /// <summary>Times that a silo was asked whether it is ready.</summary>
    public int Probes { get; set; }

    /// <summary>Probes that were told yes.</summary>
    public int ReadyProbes { get; set; }

    /// <summary>Of those, the ones after which the next request succeeded.</summary>
    public int RightProbes { get; set; }
}
