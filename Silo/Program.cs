using HeartGrains;
using HeartGrains.Diagnostics;
using HeartGrains.Hosting;
using HeartGrains.Silo;

return await ServiceHost.RunAsync(() =>
{
    var builder = ServiceHost.CreateBuilder(args, defaultPort: 8090, SiloHosting.Features);
    builder.AddSilo();
    builder.AddTraces();

    var app = builder.Build();
    app.MapOperations();
    app.MapDashboard();
    return app;
});
