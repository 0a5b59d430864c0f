using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Jobs;

/// <summary>Wires long operations into a silo.</summary>
internal static class JobHosting
{
    public static void AddJobs(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<JobOptions>().Bind(configuration.GetSection("HeartGrains:" + JobOptions.Name)).ValidateDataAnnotations();
        services.AddSingleton<JobHearts>();
        services.AddHostedService<JobRunner>();
    }
}
