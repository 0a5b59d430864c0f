using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Gateway.Live;

/// <summary>What a gateway gives to those who watch: section <c>HeartGrains:Live</c>.</summary>
public sealed class LiveOptions
{
    /// <summary>The section these options are read from.</summary>
    public const string Section = "HeartGrains:Live";

    /// <summary>The section's name under the host's own.</summary>
    public const string Name = "Live";

    /// <summary>Connections at a time; beyond it 503. About 20 KB each. Default 20,000; 0 refuses all.</summary>
    [Range(0, 1_000_000)]
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>Connections at a time from one address, or one IPv6 network of 64 bits; beyond it 429. Default 200: a school may have one address.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnectionsPerAddress { get; set; } = 200;

    /// <summary>Targets of all connections of an address together; beyond it the error <c>too-many-targets</c>. Default 5,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxTargetsPerAddress { get; set; } = 5_000;

    /// <summary>Targets of one connection; beyond it the error <c>too-many-targets</c>. Default 200.</summary>
    [Range(1, 1_000)]
    public int MaxTargets { get; set; } = 200;

    /// <summary>Targets watched by all connections together, each renewed four times a minute; beyond it the error <c>too-many-targets</c>. Default 50,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxWatchedTargets { get; set; } = 50_000;

    /// <summary>The longest message of a client; a longer one closes with 1009. Default 128 KB: 200 targets with their versions.</summary>
    [Range(1_024, 4 * 1024 * 1024)]
    public int MaxMessageBytes { get; set; } = 128 * 1024;

    /// <summary>Messages a second that a client may go on sending; every 20 targets in one count as a further message. Over it 4002. Default 20.</summary>
    [Range(0.1, 10_000)]
    public double MessagesPerSecond { get; set; } = 20;

    /// <summary>Messages at once, after a silence. Default 100.</summary>
    [Range(20, 100_000)]
    public int MessageBurst { get; set; } = 100;

    /// <summary>Connections and messages, counted as above, that an address may go on making a second with all its connections, however often it connects anew; over it 429 or 4002. Default 50.</summary>
    [Range(1, 1_000_000)]
    public int MessagesPerSecondPerAddress { get; set; } = 50;

    /// <summary>The same at once, after a silence. Default 2,000: a school that opens a page.</summary>
    [Range(20, 1_000_000)]
    public int MessageBurstPerAddress { get; set; } = 2_000;

    /// <summary>How long a connection may watch nothing before it is closed with 4000. Default 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a write may wait for a client that does not read, and a client for the end of its own message. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan SlowTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often an idle connection is pinged. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:10:00")]
    public TimeSpan PingPeriod { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the answer to a ping may take; after it the connection is dropped. Default 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:10:00")]
    public TimeSpan PingTimeout { get; set; } = TimeSpan.FromSeconds(20);
}
