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

/// <summary>Marks operators' routes.</summary>
internal static class OperatorsOnlyRoutes
{
    /// <summary>Puts a route, or all of a group, on the operators' port.</summary>
    public static TBuilder WithOperatorsOnly<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(OperatorsOnly.Instance);
}
