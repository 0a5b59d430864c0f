using HeartGrains.Diagnostics;
using HeartGrains.Gateway;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Live;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Hosting;

return await ServiceHost.RunAsync(() =>
{
    var builder = ServiceHost.CreateBuilder(args, defaultPort: 8080, GatewayHosting.Features);
    builder.AddGrainCalls();
    builder.AddGateway();
    builder.AddTraces();

    var app = builder.Build();
    app.UseTrustedProxies();
    app.UseRequestDiagnostics();
    app.UseProblems();
    app.UseLocalLimits();
    app.UseOverloadGuard();
    app.MapHearts();
    app.MapLive();
    app.MapQuota();
    app.MapBreakers();
    app.MapOperations();
    app.MapDashboard();
    app.AnnounceOnStart();
    return app;
});
