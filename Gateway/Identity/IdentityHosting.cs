using HeartGrains.Audit;
using HeartGrains.Gateway.Identity.Jwt;
using HeartGrains.Hearts;
using HeartGrains.Hosting;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Identity;

/// <summary>Wires who calls into a host: users' tokens, servers' keys, anonymous readers.</summary>
internal static class IdentityHosting
{
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddReaders();
        services.AddOptions<AuditOptions>().BindConfiguration(AuditOptions.Section);
        services.AddSingleton<IdentityMetrics>();
        services.AddSingleton<CallerNetworks>();
        services.AddSingleton(static provider => new LiveSettings<AuthPolicy>(
            provider.GetRequiredService<IConfiguration>(), AuthPolicy.Read, provider.GetRequiredService<ILogger<AuthPolicy>>()));
        services.AddSingleton(static provider => new Credentials(provider.GetRequiredService<LiveSettings<AuthPolicy>>(), provider.GetRequiredService<IdentityMetrics>(), provider.GetService<JwtVerifier>()));
        services.AddSingleton<Callers>();
        services.AddSingleton<Operations.OperatorDoor>();
        return services;
    }

    /// <summary>Users' signed tokens, where they are configured.</summary>
    /// <exception cref="StartException">They are configured wrongly.</exception>
    public static IServiceCollection AddTokens(this IServiceCollection services, IConfiguration configuration)
    {
        if (JwtTerms.Read(configuration.Read<JwtOptions>(JwtOptions.Section)) is not { } terms) return services;
        services.AddSingleton(terms);
        services.AddSingleton<JwtKeys>();
        services.AddHostedService(static provider => provider.GetRequiredService<JwtKeys>());
        services.AddSingleton<JwtVerifier>();
        return services;
    }

    /// <summary>Goes after what bounds the calls of one address.</summary>
    public static IApplicationBuilder UseIdentity(this IApplicationBuilder app) =>
        app.UseMiddleware<IdentityMiddleware>(app.ApplicationServices.GetRequiredService<Credentials>());

    private static void AddReaders(this IServiceCollection services)
    {
        services.AddOptions<ReaderOptions>().BindConfiguration(ReaderOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ReaderMetrics>();
        services.AddSingleton(static provider => new Readers(
            provider.GetRequiredService<IOptions<ReaderOptions>>(), provider.GetRequiredService<Sites.SiteList>(), provider.GetRequiredService<ReaderMetrics>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetService<HeartKeys>()));
    }
}
