namespace HeartGrains.Gateway.Grpc;

/// <summary>The paths of the service <c>Hearts</c>, which limits judge as they judge <c>/api</c>.</summary>
internal static class GrpcRoutes
{
    private const string Prefix = "/heartgrains.v1.Hearts/";

    /// <summary>Whether the call is one of the service's. Routes are matched without regard to case, so this is too.</summary>
    public static bool IsHearts(PathString path) => path.Value?.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>Whether it is one that changes nothing.</summary>
    public static bool IsRead(PathString path) =>
        IsHearts(path) && (IsOf(path, "Get") || IsOf(path, "Query") || IsOf(path, "Users"));

    private static bool IsOf(PathString path, string method) => path.Value.AsSpan(Prefix.Length).Equals(method, StringComparison.OrdinalIgnoreCase);
}
