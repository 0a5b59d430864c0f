using System.ComponentModel.DataAnnotations;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Grpc;

/// <summary>The gRPC port: section <c>HeartGrains:Grpc</c>.</summary>
public sealed class GrpcOptions
{
    /// <summary>The section's name under the host's own.</summary>
    public const string Name = "Grpc";

    /// <summary>The section these options are read from.</summary>
    public const string Section = HostSettings.Section + ":" + Name;

    /// <summary>The port gRPC listens on, HTTP/2 without TLS, at the address HTTP listens on; 0 takes a free one. Default none: no gRPC.</summary>
    [Range(0, 65535)]
    public int? Port { get; set; }

    /// <summary>Whether clients may ask for the services and their messages. Default true on loopback, false elsewhere.</summary>
    public bool? Reflection { get; set; }

    /// <summary>How long the message of a call without a deadline may take to arrive. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan MessageTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
