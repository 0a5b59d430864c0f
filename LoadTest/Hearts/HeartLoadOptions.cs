using System.Net;

namespace HeartGrains.LoadTest.Hearts;

/// <summary>How often each target is chosen.</summary>
public enum TargetSkew
{
    /// <summary>Log-uniform ranks, <c>floor(targets^u)</c>: a few hot targets and a long tail, close to Zipf's law.</summary>
    Zipf = 0,

    /// <summary>Every target as often as any other.</summary>
    Uniform = 1,
}

/// <summary>A load of hearts.</summary>
public sealed record HeartLoadOptions
{
    /// <summary>The most targets a load can have.</summary>
    public const int TargetsLimit = 10_000_000;

    /// <summary>The most users a load can have.</summary>
    public const long UsersLimit = 9_999_999_999;

    /// <summary>The longest load.</summary>
    public static readonly TimeSpan DurationLimit = TimeSpan.FromHours(24);

    /// <summary>Gateways, as <c>http://host:port</c>; connections are spread over them and stay with theirs.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }

    /// <summary>How long to load, at most 24 hours; default 10 s. The cancellation token ends it earlier.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections, each with one request in flight; default 64.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>
    /// The most requests a second, evenly over the connections; one that waits for those before it counts from when it was due. Default 0: as fast as the answers
    /// come.
    /// </summary>
    public int RequestsPerSecond { get; init; }

    /// <summary>The address of this machine that connections come from; default null, the system's choice.</summary>
    public IPAddress? From { get; init; }

    /// <summary>How many targets; default 10,000.</summary>
    public int Targets { get; init; } = 10_000;

    /// <summary>How many users, chosen evenly; default 5,000,000.</summary>
    public long Users { get; init; } = 5_000_000;

    /// <summary>How targets are chosen; default <see cref="TargetSkew.Zipf"/>.</summary>
    public TargetSkew Skew { get; init; } = TargetSkew.Zipf;

    /// <summary>Processes whose CPU time is counted, each with its descendants; default none.</summary>
    public IReadOnlyList<int> ProcessIds { get; init; } = [];

    /// <summary>Use targets that no other run uses and keep a history for <see cref="HeartVerifier"/>; default false.</summary>
    public bool KeepHistory { get; init; }

    /// <summary>
    /// The most requests a history holds, rounded up to pages of 1,024; the load ends when it is full. Default 50 million, which take 400 MB while loading
    /// and 800 MB while the check runs.
    /// </summary>
    public int HistoryLimit { get; init; } = 50_000_000;

    /// <summary>Chooses targets and users; the same seed makes each connection ask for the same hearts in the same order.</summary>
    public int Seed { get; init; } = Random.Shared.Next();

    /// <summary>How long to wait for an answer; default 5 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection pauses after a 503 or when it cannot connect, so that an outage is not made worse; default 50 ms.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromMilliseconds(50);
}
