namespace HeartGrains.Gateway.Grpc;

/// <summary>The paths of the service <c>Hearts</c>, which limits judge as they judge <c>/api</c>.</summary>
internal static class GrpcRoutes
{
    private const string Prefix = "/heartgrains.v1.Hearts/";

    /// <summary>Whether the call is one of the service's.</summary>
    public static bool IsHearts(PathString path) => path.Value?.StartsWith(Prefix, StringComparison.Ordinal) is true;

    /// <summary>Whether it is one that changes nothing.</summary>
    public static bool IsRead(PathString path) => IsHearts(path) && path.Value.AsSpan(Prefix.Length) is "Get" or "Query" or "Users";
}
