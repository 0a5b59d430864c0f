using HeartGrains.Hosting;
using HeartGrains.Silo;

return await CommandLine.RunAsync(args, SiloRole.Silo);
