namespace HeartGrains.LoadTest.Overload;

/// <summary>A run that finds the peak, offers more than that, and then less.</summary>
public sealed record OverloadRunOptions
{
    /// <summary>Gateways, as <c>http://host:port</c>; connections are spread over them.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }

    /// <summary>What the P99 of admitted hearts is promised to stay under; default 250 ms.</summary>
    public TimeSpan Goal { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The load offered, as a multiple of the peak; default 2.</summary>
    public double Factor { get; init; } = 2;

    /// <summary>The peak in hearts a second; 0, the default, finds it first.</summary>
    public double Peak { get; init; }

    /// <summary>How long hearts are given before anything is measured; default 10 s.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long each step towards the peak takes; default 6 s.</summary>
    public TimeSpan PeakStep { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Connections of the steps towards the peak; default 64 and 256.</summary>
    public IReadOnlyList<int> PeakConnections { get; init; } = [64, 256];

    /// <summary>How long the overload lasts; default 20 s.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the calm afterwards lasts, at most; default 15 s.</summary>
    public TimeSpan Calm { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The load of the calm, as a part of the peak; default 0.3.</summary>
    public double CalmFactor { get; init; } = 0.3;

    /// <summary>Connections kept open for the overload; a heart that finds none free waits and is late. Default 3,000.</summary>
    public int Connections { get; init; } = 3_000;

    /// <summary>How many targets; default 10,000.</summary>
    public int Targets { get; init; } = 10_000;

    /// <summary>How many users, chosen evenly; default 5,000,000.</summary>
    public long Users { get; init; } = 5_000_000;

    /// <summary>Processes whose CPU time during the overload is counted; default none.</summary>
    public IReadOnlyList<int> ProcessIds { get; init; } = [];

    /// <summary>Chooses targets and users.</summary>
    public int Seed { get; init; } = Random.Shared.Next();

    /// <summary>How long to wait for an answer; default 10 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
