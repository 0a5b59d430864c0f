using HeartGrains.Hosting;
using HeartGrains.Silo;

return await ServerCommandLine.RunAsync(args, SiloRole.Silo);
