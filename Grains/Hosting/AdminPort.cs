using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Hosting;

/// <summary>The ports of a program that answer an endpoint.</summary>
[Flags]
public enum Ports
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The port for everybody.</summary>
    Public = 1,

    /// <summary>The operators' port, or the one for everybody while operators have none of their own.</summary>
    Operators = 2,

    /// <summary>Whichever is asked.</summary>
    All = Public | Operators,
}

/// <summary>In an endpoint's metadata: the ports that answer it. Without it that is the port for everybody.</summary>
public interface IPortsMetadata
{
    /// <summary>Where the endpoint is; elsewhere it is not found.</summary>
    Ports Ports { get; }
}

/// <summary>
/// A port of the operators' own (<see cref="AdminSettings"/>). Which port a request came in by is known from its connection, never from what it says of itself, such as its
/// <c>Host</c>. While none is configured the program's one port answers everything. Operators' routes are not found by a host that <see cref="OperatorHosts"/> does not take.
/// </summary>
public static class AdminPort
{
    /// <summary>Opens the operators' port, if one is configured, and keeps what is for operators where it belongs. Goes after the program's own: <c>app.Urls</c> keeps the order.</summary>
    internal static void AddAdminPort(this WebApplicationBuilder builder, HostSettings settings)
    {
        builder.Services.AddSingleton<OperatorHosts>().AddSingleton<MatcherPolicy, PortMatcherPolicy>();
        if (settings.Admin.Port is not { } port) return;
        var (key, listen) = ($"{HostSettings.Section}:Admin:Port", settings.Admin.Listen);
        if (!IPAddress.TryParse(listen, out var address)) throw StartException.Setting($"{HostSettings.Section}:Admin:Listen", $"'{listen}' is not an IP address");
        if (port != 0 && port == settings.Port) throw StartException.Setting(key, $"'{port}' is the port for everybody; operators need one of their own");
        builder.RequireFreePort(address, port, $"{HostSettings.Section}:Admin");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(address, port, static listener => listener.Mark(OperatorsConnection.Instance)));
    }

    /// <summary>Where operators' routes are, of the addresses that a program listens on in the order it opened them.</summary>
    public static string UrlOf(IEnumerable<string> urls, HostSettings settings) => settings.Admin.Port is null ? urls.First() : urls.ElementAt(1);

    /// <summary>Says in an endpoint's metadata which ports answer it.</summary>
    public static TBuilder On<TBuilder>(this TBuilder endpoint, Ports ports) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new PortsMetadata(ports));

    /// <summary>Puts something into the features of every connection of a port, and so of its requests: by that they know which port they came by.</summary>
    public static void Mark<T>(this ListenOptions listener, T mark) where T : class => listener.Use(next => connection =>
    {
        connection.Features.Set(mark);
        return next(connection);
    });

    private sealed record PortsMetadata(Ports Ports) : IPortsMetadata;

    private sealed class OperatorsConnection
    {
        public static readonly OperatorsConnection Instance = new();
    }

    /// <summary>
    /// Branches routing by port, before it looks at methods: what is not on a port is not found there by any method. Where only some of a path's methods are the operators', those are
    /// not found on the port for everybody.
    /// </summary>
    private sealed class PortMatcherPolicy(HostSettings settings, OperatorHosts hosts) : MatcherPolicy, INodeBuilderPolicy
    {
        /// <summary>Whose endpoints a request sees; one that sees none's finds what is on every port.</summary>
        private static readonly Ports[] Each = [Ports.None, Ports.Public, Ports.Operators, Ports.All];

        private readonly bool _areApart = settings.Admin.Port is not null;

        /// <summary>Well before that of methods (-1000).</summary>
        public override int Order => -2000;

        public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => _areApart || endpoints.Any(static endpoint => !IsSeen(endpoint, Ports.Public));

        public IReadOnlyList<PolicyNodeEdge> GetEdges(IReadOnlyList<Endpoint> endpoints) =>
            [.. Each.Select(ports => new PolicyNodeEdge(ports, SeenOn(ports, endpoints))).Where(static edge => edge.Endpoints.Count > 0)];

        public PolicyJumpTable BuildJumpTable(int exitDestination, IReadOnlyList<PolicyJumpTableEdge> edges)
        {
            var destinations = new int[Each.Length];
            Array.Fill(destinations, exitDestination);
            foreach (var edge in edges) destinations[(int)edge.State] = edge.Destination;
            return new PortJumpTable(this, destinations);
        }

        public Ports SeenBy(HttpContext context)
        {
            var ports = !_areApart ? Ports.All : context.Features.Get<OperatorsConnection>() is null ? Ports.Public : Ports.Operators;
            return ports.HasFlag(Ports.Operators) && !hosts.Take(context) ? ports & ~Ports.Operators : ports;
        }

        private static List<Endpoint> SeenOn(Ports ports, IReadOnlyList<Endpoint> endpoints) =>
            endpoints.Any(endpoint => IsSeen(endpoint, ports)) ? [.. endpoints.Select(endpoint => IsSeen(endpoint, ports) ? endpoint : Absent((RouteEndpoint)endpoint))] : [];

        private static bool IsSeen(Endpoint endpoint, Ports ports) =>
            (endpoint.Metadata.GetMetadata<IPortsMetadata>()?.Ports ?? Ports.Public) is var own && (own == Ports.All || (own & ports) != Ports.None);

        /// <summary>Takes the same calls and finds nothing.</summary>
        private static RouteEndpoint Absent(RouteEndpoint endpoint) => new(
            static context =>
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            },
            endpoint.RoutePattern,
            endpoint.Order,
            new EndpointMetadataCollection(endpoint.Metadata.OfType<IHttpMethodMetadata>()),
            "absent");
    }

    private sealed class PortJumpTable(PortMatcherPolicy policy, int[] destinations) : PolicyJumpTable
    {
        public override int GetDestination(HttpContext httpContext) => destinations[(int)policy.SeenBy(httpContext)];
    }
}
