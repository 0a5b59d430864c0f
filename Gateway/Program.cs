using HeartGrains.Gateway;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hosting;

return await ServiceHost.RunAsync(() =>
{
    var builder = ServiceHost.CreateBuilder(args, defaultPort: 8080, GatewayHosting.Features);
    builder.AddGrainCalls();
    builder.AddGateway();

    var app = builder.Build();
    app.UseRequestMetrics();
    app.UseProblems();
    app.UseOverloadGuard();
    app.MapHearts();
    app.MapOperations();
    app.MapDashboard();
    app.AnnounceOnStart();
    return app;
});
