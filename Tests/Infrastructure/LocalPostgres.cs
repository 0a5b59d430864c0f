using System.Diagnostics;
using HeartGrains.Tests.Infrastructure;
using Npgsql;

[assembly: AssemblyFixture(typeof(LocalPostgres))]

namespace HeartGrains.Tests.Infrastructure;

/// <summary>A private PostgreSQL, one for all test classes; each test takes a database of its own.</summary>
public sealed class LocalPostgres : LocalServer
{
    private static readonly string Binaries = Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Last() + "/bin";

    private const string Service = "heartgrains-service";

    private int _databases;
    private string? _disk;

    /// <summary>The settings the server starts with, beyond those it needs; set before the first start.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Creates an empty database and returns its connection string; starts the server if need be.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        await StartAsync();
        var name = $"test{Interlocked.Increment(ref _databases)}";
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"create database {name}", connection);
        await command.ExecuteNonQueryAsync();
        command.CommandText = $"do $$ begin create role \"{Service}\" login; exception when duplicate_object or unique_violation then null; end $$";
        await command.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    /// <summary>The same database as a role that owns nothing.</summary>
    public static string AsService(string connection) => new NpgsqlConnectionStringBuilder(connection) { Username = Service }.ConnectionString;

    /// <summary>How to reach a database of this server.</summary>
    public string ConnectionString(string database) => $"Host=127.0.0.1;Port={Port};Username=heartgrains;Database={database}";

    /// <summary>Mounts a file system of a few megabytes that only this server uses, and returns its folder. Root only.</summary>
    public async Task<string> MountSmallDiskAsync(int megabytes)
    {
        _disk = Directory.CreateDirectory($"{Folder}/disk").FullName;
        await RunAsync("/bin/mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0700", "heartgrains-test", _disk);
        await RunAsync("/bin/chown", "postgres", _disk);
        return _disk;
    }

    protected override async Task CleanUpAsync()
    {
        if (_disk is not null) await RunAsync("/bin/umount", "--lazy", _disk);
    }

    protected override string StopSignal => "INT";

    protected override async Task PrepareAsync()
    {
        if (Environment.IsPrivilegedProcess)
            await RunAsync("/bin/chown", "postgres", Folder);
        var initdb = AsServerUser($"{Binaries}/initdb", "-D", $"{Folder}/data", "-U", "heartgrains", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await RunAsync(initdb[0], [.. initdb[1..]]);
    }

    protected override ProcessStartInfo Describe()
    {
        var command = AsServerUser(
            [
                $"{Binaries}/postgres", "-D", $"{Folder}/data", "-p", $"{Port}", "-h", "127.0.0.1", "-k", "",
                "-c", "shared_buffers=32MB", "-c", "logging_collector=on", "-c", "log_min_messages=fatal",
                .. Settings.SelectMany(setting => new[] { "-c", setting }),
            ]);
        return new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = Folder };
    }

    protected override async Task AskAsync()
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false;Timeout=2");
        await connection.OpenAsync();
    }

    // PostgreSQL refuses to run as root.
    private static string[] AsServerUser(params string[] command) => Environment.IsPrivilegedProcess
        ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", .. command]
        : command;
}
