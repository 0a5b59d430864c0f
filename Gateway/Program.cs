using HeartGrains.Diagnostics;
using HeartGrains.Gateway;
using HeartGrains.Hosting;
using HeartGrains.Silo;

var gateway = new Role("gateway", "answers HTTP; keeps the hearts too, unless --mode=cluster", DefaultPort: 8080, GatewayHosting.Features, static builder =>
{
    builder.AddGrainCalls();
    builder.AddGateway();
    builder.AddTraces();

    var app = builder.Build();
    app.UseGateway();
    app.AnnounceOnStart();
    return app;
});
return await ServerCommandLine.RunAsync(args, gateway, SiloRole.Silo);
