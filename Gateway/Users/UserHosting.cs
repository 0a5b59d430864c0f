namespace HeartGrains.Gateway.Users;

/// <summary>Wires what is done for whole users into a gateway.</summary>
internal static class UserHosting
{
    public static IServiceCollection AddUsers(this IServiceCollection services) => services.AddSingleton<UserAuthority>().AddSingleton<UserLimits>();

    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        UserEndpoints.Map(routes);
        MergeEndpoint.Map(routes);
    }
}
