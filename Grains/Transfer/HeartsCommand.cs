using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Hosting;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Ledger.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace HeartGrains.Transfer;

/// <summary>The commands <c>hearts …</c>: a ledger, found by the settings that the program itself would run with, as lines of text and back, and its copy.</summary>
internal static class HeartsCommand
{
    public const string Export = "hearts export", Import = "hearts import", Backup = "hearts backup";

    private const string Unfinished = ".unfinished";

    // Nobody waits for an answer within a second here.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Runs a command; what it did is told in one line on <paramref name="messages"/>.</summary>
    /// <exception cref="StartException">It cannot be done as it was asked for.</exception>
    /// <exception cref="LedgerException">The ledger or the export does not allow it.</exception>
    public static async Task RunAsync(string command, Role role, string[] args, Stream input, Stream output, TextWriter messages)
    {
        var name = command == Backup ? "--to" : "--file";
        var (file, rest) = TakeSwitch(name, args);
        var builder = ServiceHost.ReadSettings(rest, role, isToStart: false);
        try
        {
            await messages.WriteLineAsync(command switch
            {
                Export => await ExportAsync(builder, file, output),
                Import => await ImportAsync(builder, file, input),
                _ => await BackupAsync(builder, file),
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException(exception.Message);
        }
    }

    private static async Task<string> ExportAsync(WebApplicationBuilder builder, string? file, Stream output)
    {
        await using var ledger = OpenLedger(builder);
        return $"Exported {await (file is null ? WriteAsync(ledger.Ledger, output) : WriteFileAsync(ledger.Ledger, file))} events.";
    }

    /// <summary>Whole when it bears its name.</summary>
    private static async Task<long> WriteFileAsync(ITransferLedger ledger, string file)
    {
        if (Path.Exists(file)) throw new StartException($"{Path.GetFullPath(file)} exists already; choose another file.");
        var unfinished = file + Unfinished;
        await using var stream = OwnFile.Open(unfinished, FileMode.Create);
        try
        {
            var events = await WriteAsync(ledger, stream);
            await stream.DisposeAsync();
            File.Move(unfinished, file);
            return events;
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }

    private static async Task<long> WriteAsync(ITransferLedger ledger, Stream stream)
    {
        using var writer = new ExportWriter(stream);
        return await new Exporter(ledger, TimeProvider.System).ExportAsync(writer, CancellationToken.None);
    }

    private static async Task<string> ImportAsync(WebApplicationBuilder builder, string? file, Stream input)
    {
        // A file is read twice, so that one which is cut off or changed leaves the ledger as it was.
        if (file is not null)
        {
            await using var first = File.OpenRead(file);
            await foreach (var _ in new ExportReader(first).ReadAsync(CancellationToken.None))
            {
            }
        }

        var settings = builder.Settings();
        using var folder = settings.Mode == HostMode.Single ? DataFolderLock.Take(settings.Data) : null;
        if (KeptHead.FileOf(settings, builder.Configuration.Read<AuditOptions>(AuditOptions.Section)) is { } head && File.Exists(head))
            throw new StartException($"{Path.GetFullPath(head)} holds the head of another log, by which what is imported would not be sealed; remove it.");
        await using var ledger = OpenLedger(builder);
        await using var stream = file is null ? input : File.OpenRead(file);
        var summary = await new Importer(ledger.Ledger, HeartKeysSource.Find(settings)).ImportAsync(new ExportReader(stream), CancellationToken.None);
        return $"Imported {summary.Events} events. {summary.Targets} targets with {summary.Hearts} hearts agree with their log.";
    }

    private static async Task<string> BackupAsync(WebApplicationBuilder builder, string? folder)
    {
        var settings = builder.Settings();
        if (folder is null) throw new StartException("A backup needs the folder it is made in: write --to=FOLDER.");
        if (settings.Mode != HostMode.Single) throw new StartException("Hearts of mode single are backed up by this command, those of a cluster with pg_dump.");
        var (hearts, key, kept) = (Path.Combine(folder, "hearts.db"), Path.Combine(folder, "heart.key"), Path.Combine(settings.Data, "heart.key"));
        if (File.Exists(hearts) || File.Exists(key)) throw new StartException($"There is a backup in {Path.GetFullPath(folder)} already; choose another folder.");

        await using var ledger = OpenLedger(builder);
        await ledger.Ledger.OpenToReadAsync(CancellationToken.None);
        DataFolderLock.Make(folder);
        var hasKey = settings.Key is null && File.Exists(kept);
        var (unfinishedHearts, unfinishedKey) = (hearts + Unfinished, key + Unfinished);
        try
        {
            ((SqliteLedger)ledger.Ledger).CopyTo(unfinishedHearts);
            if (hasKey) File.Copy(kept, unfinishedKey, overwrite: true);
        }
        catch
        {
            File.Delete(unfinishedKey);
            throw;
        }

        // Whole when it bears its name, and the hearts get theirs last.
        if (hasKey) File.Move(unfinishedKey, key);
        File.Move(unfinishedHearts, hearts);
        return $"Copied to {Path.GetFullPath(folder)}: hearts.db{(hasKey ? " and heart.key" : "; the key is in your settings, keep it too")}.";
    }

    private static OpenedLedger OpenLedger(WebApplicationBuilder builder)
    {
        var (settings, options) = (builder.Settings(), builder.Configuration.Read<LedgerOptions>(LedgerOptions.Section));
        (options.CommandTimeout, options.FoldTimeout) = (Patience, Patience);
        return new OpenedLedger(settings.Mode switch
        {
            HostMode.Single => new SqliteLedger(settings.Data, options, NullLogger<SqliteLedger>.Instance),
            HostMode.Cluster => new PostgresLedger(
                builder.Configuration.RequiredConnection(PostgresConnection.Service), options, builder.Configuration.GetConnectionString(PostgresConnection.Owner)),
            _ => throw StartException.Setting("HeartGrains:Mode", "Hearts of mode dev are in the memory of another process; this is for single and cluster"),
        });
    }

    /// <summary>Takes a switch that is no setting out of the others.</summary>
    private static (string? Value, string[] Others) TakeSwitch(string name, string[] args)
    {
        var at = Array.FindIndex(args, arg => arg.Equals(name, StringComparison.OrdinalIgnoreCase) || arg.StartsWith(name + "=", StringComparison.OrdinalIgnoreCase));
        if (at < 0) return (null, args);
        if (args[at].Length > name.Length) return (args[at][(name.Length + 1)..], [.. args[..at], .. args[(at + 1)..]]);
        return at + 1 < args.Length ? (args[at + 1], [.. args[..at], .. args[(at + 2)..]]) : throw new StartException($"The switch {name} has no value: write {name}=value.");
    }

    private sealed class OpenedLedger(ITransferLedger ledger) : IAsyncDisposable
    {
        public ITransferLedger Ledger { get; } = ledger;

        public async ValueTask DisposeAsync()
        {
            if (Ledger is IAsyncDisposable asynchronous) await asynchronous.DisposeAsync();
            else (Ledger as IDisposable)?.Dispose();
        }
    }
}
