using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Postern.Testing.Sinks;

/// <summary>One connection of a <see cref="ScriptedSink"/>.</summary>
internal sealed class SinkSession(ScriptedSink sink, Socket socket, int number, CancellationToken closing) : IAsyncDisposable
{
    private readonly SinkOptions options = sink.Options;
    private readonly ConcurrentQueue<string> transcript = new();
    private readonly byte[] buffer = new byte[64 * 1024];
    private Stream stream = new NetworkStream(socket, ownsSocket: true);
    private int start;
    private int end;
    private string mail = "<>";
    private List<string> recipients = [];
    private readonly MemoryStream chunks = new();
    private bool isTls;
    private bool isLmtp;

    public int Number => number;

    public IReadOnlyList<string> Transcript => [.. transcript];

    public async Task RunAsync()
    {
        try
        {
            if (options.ImplicitTls)
                await SecureAsync();
            if (await AnswerAsync(SinkPhase.Connect, string.Empty, "220 sink.test ESMTP") is null)
                return;
            while (await ReadLineAsync() is { } line)
            {
                transcript.Enqueue($"C: {line}");
                if (!await ObeyAsync(line))
                    return;
            }
        }
        catch (Exception e)
        {
            // Whatever ended it, the test judges by what the client made of it.
            transcript.Enqueue($"-- {e.GetType().Name}");
        }
        finally
        {
            await DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private async Task<bool> ObeyAsync(string line)
    {
        var verb = line.Split(' ', ':')[0].ToUpperInvariant();
        switch (verb)
        {
            case "EHLO" or "LHLO":
                isLmtp = verb == "LHLO";
                IEnumerable<string> offered = options.Certificate is not null && !isTls ? [.. options.Extensions, "STARTTLS"] : options.Extensions;
                List<string> lines = ["sink.test", .. offered];
                return await AnswerAsync(SinkPhase.Ehlo, line, string.Join("\r\n", lines.Select((l, i) => i == lines.Count - 1 ? $"250 {l}" : $"250-{l}"))) is not null;
            case "HELO":
                return await AnswerAsync(SinkPhase.Helo, line, "250 sink.test") is not null;
            case "STARTTLS":
                if (await AnswerAsync(SinkPhase.StartTls, line, "220 2.0.0 Go ahead") is not { } answer)
                    return false;
                if (!answer.StartsWith('2'))
                    return true;
                if (options.Script(SinkPhase.Handshake, line, number) is { } inHandshake)
                {
                    // Behind the client's hello: before it, it would stand in clear behind the 220.
                    await FillAsync();
                    start = end;
                    return await ActAsync(inHandshake, string.Empty) is not null;
                }

                await SecureAsync();
                return true;
            case "AUTH":
                return await LogInAsync(line);
            case "PROXY" when transcript.Count == 2:
                return true;
            case "XCLIENT":
                return await AnswerAsync(SinkPhase.Client, line, "220 sink.test ESMTP") is not null;
            case "XFORWARD":
                return await AnswerAsync(SinkPhase.Client, line, "250 2.0.0 Ok") is not null;
            case "MAIL":
                mail = line;
                recipients = [];
                chunks.SetLength(0);
                return await AnswerAsync(SinkPhase.Mail, line, "250 2.1.0 Ok") is not null;
            case "RCPT":
                if (await AnswerAsync(SinkPhase.Rcpt, line, "250 2.1.5 Ok") is not { } toRecipient)
                    return false;
                if (toRecipient.StartsWith('2'))
                    recipients.Add(line);
                return true;
            case "DATA":
                return await DataAsync(line);
            case "BDAT":
                return await ChunkAsync(line);
            case "RSET":
                chunks.SetLength(0);
                recipients = [];
                return await AnswerAsync(SinkPhase.Reset, line, "250 2.0.0 Ok") is not null;
            case "QUIT":
                await AnswerAsync(SinkPhase.Quit, line, "221 2.0.0 Bye");
                return false;
            default:
                await WriteAsync("500 5.5.1 What?");
                return true;
        }
    }

    private async Task<bool> LogInAsync(string line)
    {
        const string Good = "235 2.7.0 Welcome";
        var answer = await AnswerAsync(SinkPhase.Auth, line, Good);
        while (answer is ['3', ..])
        {
            if (await ReadLineAsync() is not { } response)
                return false;
            transcript.Enqueue($"C: {response}");
            answer = await AnswerAsync(SinkPhase.AuthResponse, response, response == "*" ? "501 5.7.0 Cancelled" : Good);
        }

        return answer is not null;
    }

    private async Task<bool> DataAsync(string line)
    {
        if (await AnswerAsync(SinkPhase.Data, line, recipients.Count == 0 ? "503 5.5.1 No recipients" : "354 Go ahead") is not { } answer)
            return false;
        if (!answer.StartsWith('3'))
            return true;
        if (start == end && !await FillAsync())
            return false;
        if (options.Script(SinkPhase.Content, string.Empty, number) is { } action && await ActAsync(action, string.Empty) is null)
            return false;
        var wire = await ReadContentAsync();
        if (wire is null)
            return false;
        const string Good = "250 2.0.0 Taken";
        var to = recipients;
        recipients = [];
        if (isLmtp)
            return await AnswerEachAsync(to, wire, Good);
        var atEnd = options.Script(SinkPhase.EndOfData, string.Empty, number);
        // Taken before it is answered: what a reset behind the end mark leaves is a message.
        if (to.Count > 0 && atEnd is not (SinkAction.Reply { Text: not ['2', ..] } or SinkAction.Hang))
            sink.Take(new SinkMessage(number, mail, to, wire, Unstuff(wire), isTls));
        if (atEnd is not null)
            return await ActAsync(atEnd, Good) is not null;
        await WriteAsync(Good);
        await RefuseAheadAsync();
        return true;
    }

    /// <summary>By LMTP: the script is asked with the RCPT of each, and who is answered well has the message.</summary>
    private async Task<bool> AnswerEachAsync(List<string> to, byte[] wire, string good)
    {
        foreach (var recipient in to)
        {
            var action = options.Script(SinkPhase.EndOfData, recipient, number);
            if (action is null or SinkAction.Reply { Text: ['2', ..] })
                sink.Take(new SinkMessage(number, mail, [recipient], wire, Unstuff(wire), isTls));
            if (action is null)
                await WriteAsync(good);
            else if (await ActAsync(action, good) is null)
                return false;
        }

        return true;
    }

    private async Task<bool> ChunkAsync(string line)
    {
        var words = line.Split(' ');
        var isRefused = recipients.Count == 0;
        if (isRefused && options.TakesRefusedChunksForCommands)
        {
            await WriteAsync("502 5.5.1 Missing RCPT TO command.");
            return true;
        }

        for (var left = long.Parse(words[1], CultureInfo.InvariantCulture); left > 0;)
        {
            if (start == end && !await FillAsync())
                return false;
            var taken = (int)Math.Min(left, end - start);
            chunks.Write(buffer, start, taken);
            start += taken;
            left -= taken;
        }

        var action = options.Script(SinkPhase.Chunk, line, number);
        if (words.Length > 2 && recipients.Count > 0 && action is not SinkAction.Reply { Text: not ['2', ..] })
            sink.Take(new SinkMessage(number, mail, recipients, chunks.ToArray(), chunks.ToArray(), isTls));
        if (words.Length > 2)
            recipients = [];
        var good = isRefused ? "503 5.5.1 No recipients" : "250 2.0.0 Taken";
        if (action is not null)
            return await ActAsync(action, good) is not null;
        await WriteAsync(good);
        if (!isRefused)
            await RefuseAheadAsync();
        return true;
    }

    /// <summary>It counts lines, whatever they are.</summary>
    private async Task RefuseAheadAsync()
    {
        if (!options.RefusesWhatIsSentAhead)
            return;
        var lines = buffer.AsSpan(start, end - start).Count((byte)'\n');
        start = end = 0;
        for (; lines > 0; lines--)
            await WriteAsync("503 Bad sequence of commands - pipelined after end of DATA");
    }

    /// <summary>Answers by the script, or well; the text that was answered, or null when the connection is over.</summary>
    private async Task<string?> AnswerAsync(SinkPhase phase, string line, string good)
    {
        if (options.Script(phase, line, number) is { } action)
            return await ActAsync(action, good);
        await WriteAsync(good);
        return good;
    }

    private async Task<string?> ActAsync(SinkAction action, string good)
    {
        switch (action)
        {
            case SinkAction.Reply(var text):
                await WriteAsync(text);
                return text.StartsWith("421", StringComparison.Ordinal) ? null : text;
            case SinkAction.Raw(var octets):
                await stream.WriteAsync(octets, closing);
                return Encoding.Latin1.GetString(octets);
            case SinkAction.After(var until):
                await until.WaitAsync(closing);
                if (good.Length > 0)
                    await WriteAsync(good);
                return good;
            case SinkAction.Hang or SinkAction.Stall:
                if (action is SinkAction.Stall(var before))
                    await stream.WriteAsync(before, closing);
                while (await FillAsync())
                    start = end = 0;
                return null;
            case SinkAction.Abort:
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                socket.Close();
                return null;
            case SinkAction.Trickle(var octets, var pause):
                for (var i = 0; ; i = (i + 1) % octets.Length)
                {
                    await stream.WriteAsync(octets.AsMemory(i, 1), closing);
                    await Task.Delay(pause, closing);
                }

            case SinkAction.Flood(var octets):
                while (true)
                    await stream.WriteAsync(octets, closing);
            default:
                return null;
        }
    }

    private async Task WriteAsync(string text)
    {
        transcript.Enqueue($"S: {text.Replace("\r\n", " | ", StringComparison.Ordinal)}");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text + "\r\n"), closing);
    }

    private async Task SecureAsync()
    {
        // Whose it is, is for the test to say.
        var tls = new SslStream(stream, leaveInnerStreamOpen: false, (_, certificate, _, _) => !options.AsksForCertificate || certificate is not null);
        stream = tls;
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(options.Certificate!, options.Chain, offline: true),
                ClientCertificateRequired = options.AsksForCertificate,
            },
            closing);
        if (options.AsksForCertificate)
            transcript.Enqueue($"-- certificate {tls.RemoteCertificate?.GetCertHashString()}");
        sink.AskedNames.Enqueue(tls.TargetHostName);
        isTls = true;
    }

    private async Task<string?> ReadLineAsync()
    {
        while (true)
        {
            var newline = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = Encoding.Latin1.GetString(buffer, start, newline).TrimEnd('\r');
                start += newline + 1;
                return line;
            }

            if (!await FillAsync())
                return null;
        }
    }

    private async Task<byte[]?> ReadContentAsync()
    {
        using var content = new MemoryStream();
        while (true)
        {
            while (start < end)
            {
                content.WriteByte(buffer[start++]);
                if (IsEnded(content))
                    return content.ToArray();
            }

            if (!await FillAsync())
                return null;
        }
    }

    private static bool IsEnded(MemoryStream content)
    {
        var soFar = content.GetBuffer().AsSpan(0, (int)content.Length);
        return soFar.EndsWith("\r\n.\r\n"u8) || soFar.SequenceEqual(".\r\n"u8);
    }

    private async Task<bool> FillAsync()
    {
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
        var read = await stream.ReadAsync(buffer.AsMemory(end), closing);
        end += read;
        return read > 0;
    }

    private static byte[] Unstuff(byte[] wire)
    {
        var text = "\r\n" + Encoding.Latin1.GetString(wire, 0, wire.Length - 3);
        return Encoding.Latin1.GetBytes(text.Replace("\r\n.", "\r\n", StringComparison.Ordinal)[2..]);
    }
}
