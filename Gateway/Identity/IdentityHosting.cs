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

    /// <summary>Verifies users' tokens before a call reaches its route. Goes after what bounds the calls of one address.</summary>
    public static IApplicationBuilder UseIdentity(this IApplicationBuilder app)
    {
        // Asked for now, so that a wrong setting stops the start.
        var credentials = app.ApplicationServices.GetRequiredService<Credentials>();
        return app.Use(next => context =>
        {
            if (context.Request.Headers.Authorization.Count == 0) return next(context);
            var verifying = credentials.VerifyAsync(context);
            return verifying.IsCompletedSuccessfully ? next(context) : AwaitAsync(verifying, context, next);
        });
    }

    private static async Task AwaitAsync(ValueTask verifying, HttpContext context, RequestDelegate next)
    {
        await verifying;
        await next(context);
    }

    private static void AddReaders(this IServiceCollection services)
    {
        services.AddOptions<ReaderOptions>().BindConfiguration(ReaderOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ReaderMetrics>();
        services.AddSingleton(static provider => new Readers(
            provider.GetRequiredService<IOptions<ReaderOptions>>(), provider.GetRequiredService<Sites.SiteList>(), provider.GetRequiredService<ReaderMetrics>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetService<HeartKeys>()));
    }
}
