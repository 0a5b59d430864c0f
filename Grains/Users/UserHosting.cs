using HeartGrains.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Users;

/// <summary>Wires what is done for whole users into a silo.</summary>
internal static class UserHosting
{
    public static void AddUsers(this IServiceCollection services)
    {
        services.AddSingleton<ReaderAccounts>();
        services.AddSingleton<IUserData, QuotaUserData>();
        services.AddSingleton<IJobWork, EraseWork>();
        services.AddSingleton<IJobWork, MergeWork>();
    }
}
