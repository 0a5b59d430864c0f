using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Diagnostics;

/// <summary>How spans travel to their collector (OpenTelemetry Protocol).</summary>
public enum TraceProtocol
{
    /// <summary>gRPC, usually port 4317.</summary>
    Grpc,

    /// <summary>Protobuf over HTTP, usually port 4318.</summary>
    Http,
}

/// <summary>Traces; section <c>HeartGrains:Traces</c>. Without an endpoint there are none, and nothing on any path pays for them.</summary>
public sealed class TraceOptions
{
    /// <summary>The section's name under <c>HeartGrains</c>.</summary>
    public const string Name = "Traces";

    /// <summary>
    /// The collector, such as <c>http://127.0.0.1:4317</c>. Default: what <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says; the other standard variables
    /// (<c>OTEL_EXPORTER_OTLP_HEADERS</c>, <c>OTEL_SERVICE_NAME</c>, …) are followed too.
    /// </summary>
    public string? Endpoint { get; set; }

    /// <summary><c>grpc</c> or <c>http</c>; default what <c>OTEL_EXPORTER_OTLP_PROTOCOL</c> says, else <c>grpc</c>.</summary>
    public TraceProtocol? Protocol { get; set; }

    /// <summary>How many of the requests that come without a <c>traceparent</c> are traced, 0 to 1; default 1. Those that bring one are as it says.</summary>
    [Range(0.0, 1.0)]
    public double Ratio { get; set; } = 1;

    /// <summary>At most so many requests are traced each second by a process, whoever asks for it; default 100.</summary>
    [Range(1, 100_000)]
    public int PerSecond { get; set; } = 100;
}
