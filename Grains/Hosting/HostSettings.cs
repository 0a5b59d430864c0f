using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Hosting;

/// <summary>Where the gateway's grains live and what the ledger is.</summary>
public enum HostMode
{
    /// <summary>One process; hearts in a SQLite file under <see cref="HostSettings.Data"/>.</summary>
    Single,

    /// <summary>One process; hearts in memory, gone when it stops.</summary>
    Dev,

    /// <summary>Gateways and silos apart; hearts in PostgreSQL, membership in Redis.</summary>
    Cluster,
}

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For collectors: one JSON object a line, with time in UTC, level, category, event and the message's parts.</summary>
    Json,
}

/// <summary>What a process is and where it listens; section <c>HeartGrains</c>.</summary>
public sealed class HostSettings
{
    /// <summary>The configuration section.</summary>
    public const string Section = "HeartGrains";

    /// <summary><c>single</c> (default), <c>dev</c> or <c>cluster</c>; a silo is always <c>cluster</c>.</summary>
    public HostMode Mode { get; set; } = HostMode.Single;

    /// <summary>The address HTTP listens on; default 127.0.0.1, this machine only.</summary>
    [Required]
    public string Listen { get; set; } = "127.0.0.1";

    /// <summary>The port HTTP listens on; 0 takes a free one. Default 8080 for a gateway, 8090 for a silo.</summary>
    [Range(0, 65535)]
    public int Port { get; set; }

    /// <summary>The folder of <c>single</c> mode: hearts and the key; default <c>./data</c>.</summary>
    [Required]
    public string Data { get; set; } = "./data";

    /// <summary>
    /// The secret that ids are derived from, at least 16 characters, the same in all silos for good. The one-process modes make one
    /// at first start; <c>single</c> keeps it beside its data.
    /// </summary>
    [MinLength(16)]
    public string? Key { get; set; }

    /// <summary>A JSON file of settings, followed while the program runs; wins over <c>appsettings.json</c>. Default none.</summary>
    public string? Settings { get; set; }

    /// <summary>Serves the Orleans Dashboard under <c>/dashboard</c>; default on in <c>single</c> and <c>dev</c> on loopback, off otherwise.</summary>
    public bool? Dashboard { get; set; }

    /// <summary><c>text</c> (default) or <c>json</c>.</summary>
    public LogFormat Logs { get; set; } = LogFormat.Text;

    /// <summary>The operators' own port.</summary>
    public AdminSettings Admin { get; set; } = new();

    /// <summary>How silos and gateways find each other.</summary>
    public ClusterSettings Cluster { get; set; } = new();
}

/// <summary>A port that only operators reach; section <c>HeartGrains:Admin</c>.</summary>
public sealed class AdminSettings
{
    /// <summary>
    /// The port that operators' routes are on, among them metrics, the Orleans Dashboard and the API's description: on the other one they are not found then. 0 takes a free one.
    /// Default none: they are on the one port there is.
    /// </summary>
    [Range(0, 65535)]
    public int? Port { get; set; }

    /// <summary>The address it listens on; default 127.0.0.1, this machine only.</summary>
    [Required]
    public string Listen { get; set; } = "127.0.0.1";
}

/// <summary>How silos and gateways of a cluster find each other; section <c>HeartGrains:Cluster</c>.</summary>
public sealed class ClusterSettings
{
    /// <summary>Names the cluster in Redis; default <c>heartgrains</c>.</summary>
    [Required]
    public string ClusterId { get; set; } = "heartgrains";

    /// <summary>Names the service whose state this is; it outlives clusters. Default <c>heartgrains</c>.</summary>
    [Required]
    public string ServiceId { get; set; } = "heartgrains";

    /// <summary>The port for other silos; default 11111.</summary>
    [Range(1, 65535)]
    public int SiloPort { get; set; } = 11111;

    /// <summary>The port for gateways; default 30000.</summary>
    [Range(1, 65535)]
    public int ClientPort { get; set; } = 30000;

    /// <summary>The address of this silo that others reach it by, and the one it listens on; default 127.0.0.1.</summary>
    [Required]
    public string AdvertisedAddress { get; set; } = "127.0.0.1";
}
