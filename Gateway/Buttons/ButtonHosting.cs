using HeartGrains.Gateway.Applause;
using HeartGrains.Gateway.OpenHeart;

namespace HeartGrains.Gateway.Buttons;

/// <summary>Wires buttons made elsewhere into a host.</summary>
internal static class ButtonHosting
{
    public static IServiceCollection AddButtons(this IServiceCollection services) => services.AddSingleton<ButtonDoor>().AddSingleton<ButtonHearts>();

    /// <summary>Maps the protocols that are switched on, and the import. Their settings are read here, once.</summary>
    public static IEndpointRouteBuilder MapButtons(this IEndpointRouteBuilder routes)
    {
        OpenHeartEndpoints.Map(routes);
        ApplauseEndpoints.Map(routes);
        ApplauseImport.Map(routes);
        return routes;
    }
}
