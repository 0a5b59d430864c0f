using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Overload;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Operations;

/// <summary>In the metadata of an operators' route: where operators have a port of their own, it is there and is not found on the other.</summary>
internal sealed class OperatorsOnly : IPortsMetadata
{
    /// <summary>The only one.</summary>
    public static readonly OperatorsOnly Instance = new();

    private OperatorsOnly() { }

    /// <inheritdoc/>
    public Ports Ports => Ports.Operators;
}

/// <summary>Maps operators' routes.</summary>
internal static class OperatorsOnlyRoutes
{
    /// <summary>
    /// Maps a call of operators: on their port where they have one, never refused for load, timed under <paramref name="name"/>. Who calls is the handler's to ask, by <see cref="OperatorDoor"/>.
    /// </summary>
    public static void MapOperators(this IEndpointRouteBuilder routes, string method, string pattern, RequestDelegate handler, string name, Operation operation) => routes
        .MapMethods(pattern, method == HttpMethods.Get ? [HttpMethods.Get, HttpMethods.Head] : [method], handler)
        .WithMetadata(routes.ServiceProvider.GetRequiredService<GatewayMetrics>().TimesOf(name)).WithDisplayName(name).Describe(operation).NeverRefused().WithOperatorsOnly();

    /// <summary>Puts a route, or all of a group, on the operators' port.</summary>
    public static TBuilder WithOperatorsOnly<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(OperatorsOnly.Instance);
}
