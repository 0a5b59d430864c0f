using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using HeartGrains.Ledger;

namespace HeartGrains.Transfer;

/// <summary>Reads the lines of an export, once, and holds count and hash against its last one.</summary>
internal sealed class ExportReader(Stream stream)
{
    private const int LineByteLimit = 1024 * 1024;

    private long _lines;

    /// <summary>The lines between the first and the last.</summary>
    /// <exception cref="LedgerException">It is no export, was changed, or is not whole; the first is known at once, the others at its end.</exception>
    public async IAsyncEnumerable<ExportLine> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        var isOver = false;
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                var bytes = rest.Slice(0, rest.GetPosition(1, end));
                rest = rest.Slice(bytes.End);
                if (isOver) throw Wrong("stands behind the last");
                var line = Parse(bytes);
                if (line is EndLine last)
                {
                    if (_lines == 0) throw Wrong("is not where it belongs");
                    Check(last, hash.GetHashAndReset());
                    isOver = true;
                    continue;
                }

                foreach (var segment in bytes) hash.AppendData(segment.Span);
                _lines++;
                if ((_lines == 1) != (line is StartLine)) throw WrongLast("is not where it belongs");
                if (line is StartLine { Format: not StartLine.CurrentFormat } start) throw new LedgerException($"The export is of format {start.Format}, and this program reads {StartLine.CurrentFormat}.");
                yield return line;
            }

            if (rest.Length > LineByteLimit) throw Wrong("is too long");
            if (read.IsCompleted && (!isOver || rest.Length > 0)) throw new LedgerException($"The export is cut off behind line {_lines}: its last line is missing.");
            if (read.IsCompleted) break;
            pipe.AdvanceTo(rest.Start, rest.End);
        }
    }

    /// <summary>Something is wrong with the line that was read last.</summary>
    public LedgerException WrongLast(string what) => new($"Line {_lines} of the export {what}.");

    private LedgerException Wrong(string what) => new($"Line {_lines + 1} of the export {what}.");

    private ExportLine Parse(in ReadOnlySequence<byte> bytes)
    {
        try
        {
            var json = new Utf8JsonReader(bytes);
            return JsonSerializer.Deserialize(ref json, ExportJson.Default.ExportLine) ?? throw Wrong("is empty");
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new LedgerException($"Line {_lines + 1} of the export cannot be read: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
    }

    private void Check(EndLine last, byte[] hash)
    {
        if (last.Lines != _lines) throw new LedgerException($"The export has {_lines} lines where its last one tells {last.Lines}.");
        if (last.Sha256 != Convert.ToHexStringLower(hash)) throw new LedgerException("The export was changed: its lines have another hash than the last one tells.");
    }
}
