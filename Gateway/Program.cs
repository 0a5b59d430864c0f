using HeartGrains.Diagnostics;
using HeartGrains.Gateway;
using HeartGrains.Hosting;

return await ServiceHost.RunAsync(() =>
{
    var builder = ServiceHost.CreateBuilder(args, defaultPort: 8080, GatewayHosting.Features);
    builder.AddGrainCalls();
    builder.AddGateway();
    builder.AddTraces();

    var app = builder.Build();
    app.UseGateway();
    app.AnnounceOnStart();
    return app;
});
