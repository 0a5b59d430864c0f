using HeartGrains.Jobs;
using HeartGrains.Users;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Moderation;

/// <summary>Wiring of moderation on a silo.</summary>
internal static class ModerationHosting
{
    /// <summary>Adds the list of blocked users and what grains follow orders with. After what opens the ledger.</summary>
    public static IServiceCollection AddModeration(this IServiceCollection services)
    {
        services.AddSingleton<BlockList>();
        services.AddHostedService(static provider => provider.GetRequiredService<BlockList>());
        services.AddSingleton<Moderator>();
        services.AddSingleton<MovedHearts>();
        services.AddSingleton<IUserData, ModerationUserData>();
        services.AddSingleton<IJobWork, MoveWork>();
        services.AddSingleton<IJobWork, QuarantineWork>();
        services.AddSingleton<IJobWork, ReleaseWork>();
        services.AddSingleton<IJobWork, RollbackWork>();
        return services;
    }
}
