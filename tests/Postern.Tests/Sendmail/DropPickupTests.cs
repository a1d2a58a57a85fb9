using System.Collections.Concurrent;
using System.Text;
using Postern.Configuration;
using Postern.Hosting.Drop;
using Postern.Relay.Runtime;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Testing.Processes;

namespace Postern.Tests.Sendmail;

/// <summary>The server's side of the drop directory.</summary>
public sealed class DropPickupTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string root = Directory.CreateTempSubdirectory("pst").FullName;
    private readonly Intake intake = new();
    private readonly ConcurrentQueue<string> told = new();
    private readonly PosternConfiguration configuration;

    public DropPickupTests()
    {
        configuration = Configured("sendmail: { drop: drop }");
        Directory.CreateDirectory(Drop);
        File.SetUnixFileMode(Drop, (UnixFileMode)0b11_111_011_011);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Drop => Path.Combine(root, "drop");

    private string Taken => Path.Combine(Drop, "taken");

    private string Aside => Path.Combine(Drop, "aside");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task What_was_left_before_the_start_and_what_is_left_now_is_taken_up_once()
    {
        await LeaveAsync("first@example.net");
        await using var pickup = Start();
        await intake.UntilAsync(1);
        await LeaveAsync("second@example.net");
        await intake.UntilAsync(2);
        await UntilAsync(() => Files(Taken) == 0);
        Assert.Equal(["first@example.net", "second@example.net"], intake.Taken.Select(static m => m.Envelope.Recipients[0].Address));
        Assert.All(intake.Taken, static m => Assert.Equal(Environment.UserName, m.User));
        Assert.All(intake.Taken, static m => Assert.StartsWith("Received: by mail.example.org (Postern, from userid ", m.Content, StringComparison.Ordinal));
        Assert.All(intake.Taken, static m => Assert.EndsWith("\r\nSubject: x\r\n\r\ny\r\n", m.Content, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_crash_left_between_taking_up_and_removing_is_taken_up_again()
    {
        await using (Start())
            await UntilAsync(() => Directory.Exists(Taken));
        var name = await LeaveAsync("again@example.net");
        File.Move(Path.Combine(Drop, name), Path.Combine(Taken, name));
        await using var pickup = Start();
        await intake.UntilAsync(1);
        await UntilAsync(() => Files(Taken) == 0);
    }

    [Fact]
    public async Task A_file_that_is_not_finished_is_left_alone_and_goes_after_a_day()
    {
        var (fresh, old) = (Path.Combine(Drop, "tmp-01M8MJFTJ6BJ585N4VFW5VH7V1"), Path.Combine(Drop, "tmp-01M8MJFTJ6BJ585N4VFW5VH7V2"));
        await File.WriteAllTextAsync(fresh, "half", Ct);
        await File.WriteAllTextAsync(old, "half", Ct);
        File.SetLastWriteTimeUtc(old, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-25));
        await using var pickup = Start();
        await UntilAsync(() => !File.Exists(old));
        Assert.True(File.Exists(fresh));
        Assert.Empty(intake.Taken);
    }

    [Fact]
    public async Task Links_pipes_garbage_and_cut_off_files_are_put_aside_and_stand_in_nobodys_way()
    {
        var secret = Path.Combine(root, "secret");
        await File.WriteAllTextAsync(secret, "postern-drop 1 0000000000000001\nfrom\t\t\nto\ta@example.net\t\n\nx", Ct);
        File.CreateSymbolicLink(Named(1), secret);
        Assert.Equal(0, (await RunningProgram.RunAsync(["mkfifo", Named(2)])).ExitCode);
        Assert.Equal(0, (await RunningProgram.RunAsync(["ln", secret, Named(3)])).ExitCode);
        await File.WriteAllTextAsync(Named(4), "garbage", Ct);
        await File.WriteAllTextAsync(Named(5), "postern-drop 1 0000000000000009\nfrom\t\t\nto\ta@example.net\t\n\nx", Ct);
        Directory.CreateDirectory(Named(6));
        await LeaveAsync("living@example.net");
        await using var pickup = Start();
        await intake.UntilAsync(1);
        await UntilAsync(() => Files(Taken) == 0 && Files(Aside) == 5);
        Assert.Equal("living@example.net", Assert.Single(intake.Taken).Envelope.Recipients[0].Address);
        Assert.True(File.Exists(secret));
        Assert.Equal(5, told.Count(static word => word.StartsWith("drop_refused", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task More_than_one_look_takes_is_taken_without_a_pause()
    {
        var name = await LeaveAsync("many@example.net");
        var octets = await File.ReadAllBytesAsync(Path.Combine(Drop, name), Ct);
        for (var i = 0; i < 2_100; i++)
            await File.WriteAllBytesAsync(Named(i), octets, Ct);
        await using var pickup = Start();
        await intake.UntilAsync(2_101);
        await UntilAsync(() => Files(Taken) == 0 && Files(Drop) == 0);
    }

    [Fact]
    public async Task Only_a_hundred_files_are_kept_aside()
    {
        for (var i = 0; i < 120; i++)
            await File.WriteAllTextAsync(Named(i), "garbage", Ct);
        await using var pickup = Start();
        await UntilAsync(() => told.Count(static word => word.StartsWith("drop_refused", StringComparison.Ordinal)) == 120);
        Assert.InRange(Files(Aside), 100, 103); // four are taken up beside one another
        Assert.Equal(0, Files(Taken));
    }

    [Fact]
    public async Task What_cannot_be_taken_now_waits_and_is_there_at_the_next_start()
    {
        intake.Answer = static _ => new ClientAnswer.Refused(ClientPhase.Mail, new Reply(452, new EnhancedStatus(4, 3, 1), "no room"));
        await LeaveAsync("later@example.net");
        await using (Start())
            await UntilAsync(() => told.Any(static word => word.StartsWith("drop_deferred", StringComparison.Ordinal) && word.Contains("no room", StringComparison.Ordinal)));
        Assert.Equal(1, Files(Taken));
        intake.Answer = null;
        await using var pickup = Start();
        await UntilAsync(() => Files(Taken) == 0);
        Assert.Equal("later@example.net", intake.Taken[^1].Envelope.Recipients[0].Address);
    }

    [Fact]
    public async Task A_file_under_the_name_of_one_that_waits_does_not_take_its_place()
    {
        intake.Answer = static _ => new ClientAnswer.Refused(ClientPhase.Mail, new Reply(452, new EnhancedStatus(4, 3, 1), "no room"));
        var name = await LeaveAsync("first@example.net");
        await using (Start())
            await UntilAsync(() => Files(Taken) == 1 && told.Any(static word => word.StartsWith("drop_deferred", StringComparison.Ordinal)));
        File.Move(Path.Combine(Drop, await LeaveAsync("second@example.net")), Path.Combine(Drop, name));
        await using (Start())
            await UntilAsync(() => told.Any(static word => word.Contains("cannot be taken up", StringComparison.Ordinal)));
        intake.Answer = null;
        await using var pickup = Start();
        await UntilAsync(() => Files(Taken) == 0 && !File.Exists(Path.Combine(Drop, name)));
        Assert.Equal(
            ["first@example.net", "second@example.net"],
            intake.Taken.Select(static m => m.Envelope.Recipients[0].Address).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Who_is_refused_is_reported_and_who_must_wait_has_a_file_of_its_own()
    {
        intake.Answer = static to => to.LocalPart switch
        {
            "wrong" => new ClientAnswer.Refused(ClientPhase.Rcpt, new Reply(550, new EnhancedStatus(5, 7, 1), "not there")),
            "busy" => new ClientAnswer.Refused(ClientPhase.Rcpt, new Reply(450, new EnhancedStatus(4, 2, 0), "busy")),
            _ => null,
        };
        var name = await LeaveAsync("good@example.net", "wrong@example.net", "busy@example.net");
        await using (Start())
            await UntilAsync(() => !File.Exists(Path.Combine(Taken, name)) && Files(Taken) == 1 && !intake.Reports.IsEmpty);
        var (user, recipients, header) = Assert.Single(intake.Reports);
        Assert.Equal((Environment.UserName, "wrong@example.net", "Subject: x\r\n"), (user, recipients, header));
        intake.Answer = null;
        var before = intake.Taken.Count;
        await using var pickup = Start();
        await UntilAsync(() => Files(Taken) == 0);
        var rest = Assert.Single(intake.Taken[before..]);
        Assert.Equal(("busy@example.net", Environment.UserName), (Assert.Single(rest.Envelope.Recipients).Address, rest.User));
    }

    [Fact]
    public async Task A_refusal_that_cannot_be_told_now_is_told_later_and_who_has_the_message_gets_no_second_copy()
    {
        intake.Answer = static to => to.LocalPart == "wrong" ? new ClientAnswer.Refused(ClientPhase.Rcpt, new Reply(550, new EnhancedStatus(5, 7, 1), "not there")) : null;
        intake.CanReport = false;
        var name = await LeaveAsync("good@example.net", "wrong@example.net");
        await LeaveAsync("wrong@example.net");
        await using (Start())
            await UntilAsync(() => !File.Exists(Path.Combine(Taken, name)) && Files(Taken) == 2 && told.Any(static word => word.Contains("cannot be told now", StringComparison.Ordinal)));
        Assert.Empty(intake.Reports);
        intake.CanReport = true;
        await using var pickup = Start();
        await UntilAsync(() => Files(Taken) == 0);
        Assert.Equal(2, intake.Reports.Count);
        Assert.Single(intake.Taken, static m => m.Envelope.Recipients.Any(static to => to.LocalPart == "good"));
    }

    [Fact]
    public async Task A_question_that_is_called_off_elsewhere_ends_no_pickup()
    {
        var calls = 0;
        intake.Answer = _ => Interlocked.Increment(ref calls) == 1 ? throw new TaskCanceledException("a deadline") : null;
        await LeaveAsync("first@example.net");
        await using var pickup = Start();
        await UntilAsync(() => calls == 1);
        await LeaveAsync("second@example.net");
        await UntilAsync(() => intake.Taken.Exists(static m => m.Envelope.Recipients[0].LocalPart == "second"));
    }

    [Fact]
    public async Task Who_is_not_listed_may_not_send()
    {
        await LeaveAsync("nobody@example.net");
        await using var pickup = Start(Configured("sendmail: { drop: drop, users: [somebody-else] }"));
        await UntilAsync(() => Files(Aside) == 1);
        Assert.Empty(intake.Taken);
        Assert.Contains(told, static word => word.Contains("not among sendmail.users", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_directory_from_which_others_could_take_mail_away_is_not_used()
    {
        await LeaveAsync("x@example.net");
        File.SetUnixFileMode(Drop, (UnixFileMode)0b111_111_111);
        await using (Start())
            await UntilAsync(() => told.Any(static word => word.Contains("may take away", StringComparison.Ordinal) && word.Contains("-m 3733", StringComparison.Ordinal)));
        Assert.Empty(intake.Taken);
    }

    private DropPickup Start(PosternConfiguration? other = null)
    {
        var now = other ?? configuration;
        return new DropPickup(() => now, new DropIntake(() => now, intake, Tell, TimeProvider.System), Tell, TimeProvider.System);

        void Tell(string what, string detail) => told.Enqueue($"{what}: {detail}");
    }

    private PosternConfiguration Configured(string more)
    {
        var outcome = ConfigurationFile.Parse("postern.yaml", root, $"server: {{ hostname: mail.example.org, data: data }}\n{more}\n");
        return Assert.IsType<ConfigurationOutcome.Valid>(outcome).Configuration;
    }

    private async Task<string> LeaveAsync(params string[] recipients)
    {
        var envelope = new SmtpEnvelope(new ReversePath(Mailbox.Parse("lisa@example.org")), [.. recipients.Select(Mailbox.Parse)]);
        await using var writer = DropWriter.Begin(Drop, envelope, user: null, TimeProvider.System);
        await writer.AppendAsync("Subject: x\r\n\r\ny\r\n"u8.ToArray(), Ct);
        await writer.CommitAsync(Ct);
        return $"new-{writer.Name}";
    }

    private string Named(int i) => Path.Combine(Drop, $"new-01M8MJFTJ6BJ585N4VFW5V{i:D4}");

    private static int Files(string directory) => Directory.Exists(directory) ? Directory.GetFiles(directory).Length : 0;

    private static async Task UntilAsync(Func<bool> isSo)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < Patience, "it did not come to that");
            await Task.Delay(10, Ct);
        }
    }

    /// <summary>Takes everything, unless it is told what to answer.</summary>
    private sealed class Intake : ILocalIntake
    {
        private static readonly ClientAnswer Yes = new ClientAnswer.Accepted(new Reply(250, new EnhancedStatus(2, 0, 0), "Ok"));

        private readonly Lock gate = new();
        private readonly List<(string User, SmtpEnvelope Envelope, string Content)> taken = [];

        /// <summary>Null for those that are taken.</summary>
        public Func<Mailbox, ClientAnswer?>? Answer { get; set; }

        public List<(string User, SmtpEnvelope Envelope, string Content)> Taken
        {
            get
            {
                lock (gate)
                    return [.. taken];
            }
        }

        public ConcurrentQueue<(string User, string Recipients, string Header)> Reports { get; } = new();

        public async ValueTask<IReadOnlyList<ClientAnswer>> SubmitAsync(string user, SmtpEnvelope envelope, IMessageContent content, CancellationToken ct)
        {
            var octets = new byte[content.Length];
            for (var at = 0; at < octets.Length;)
                at += await content.ReadAsync(at, octets.AsMemory(at), ct);
            ClientAnswer[] answers = [.. envelope.Recipients.Select(to => Answer?.Invoke(to) ?? Yes)];
            lock (gate)
                taken.Add((user, envelope, Encoding.UTF8.GetString(octets)));
            return answers;
        }

        /// <summary>False: reports cannot be stored.</summary>
        public bool CanReport { get; set; } = true;

        public ValueTask<bool> ReportRefusedAsync(
            string user, SmtpEnvelope envelope, IReadOnlyList<ClientAnswer.Refused> answers, ReadOnlyMemory<byte> header, CancellationToken ct)
        {
            if (CanReport)
                Reports.Enqueue((user, string.Join(' ', envelope.Recipients.Select(static r => r.Address)), Encoding.UTF8.GetString(header.Span)));
            return new(CanReport);
        }

        public Task UntilAsync(int count) => DropPickupTests.UntilAsync(() => Taken.Count >= count);
    }
}
