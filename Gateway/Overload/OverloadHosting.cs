using HeartGrains.Gateway.Diagnostics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Overload;

/// <summary>Wires the overload guard into a host.</summary>
public static class OverloadHosting
{
    /// <summary>Adds the guard and what measures for it.</summary>
    public static IServiceCollection AddOverloadGuard(this IServiceCollection services)
    {
        services.AddOptions<OverloadOptions>().BindConfiguration(OverloadOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<OverloadOptions>, OverloadOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<OverloadMetrics>();
        services.TryAddSingleton<OverloadGuard>();
        services.AddHostedService<OverloadSampler>();
        return services;
    }

    /// <summary>Refuses calls under <c>/api</c>, and hearts' calls of gRPC, that could not be answered in time. Goes after what refuses without work, and before anything that does work.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="statusOf">For an interface whose answers tell their status elsewhere than in the response's.</param>
    internal static IApplicationBuilder UseOverloadGuard(this IApplicationBuilder app, AnswerStatus? statusOf = null)
    {
        if (!app.ApplicationServices.GetRequiredService<IOptions<OverloadOptions>>().Value.Enabled) return app;
        return statusOf is null ? app.UseMiddleware<OverloadMiddleware>() : app.UseMiddleware<OverloadMiddleware>(statusOf);
    }

    /// <summary>Keeps an endpoint out of the guard: one for operators, or one whose answer lasts.</summary>
    public static TBuilder NeverRefused<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(static builder => builder.Metadata.Add(Overload.NeverRefused.Instance));
        return endpoint;
    }
}
