using System.Runtime.Versioning;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Envelopes;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Routes that lead to no server: Maildir, commands, nowhere, and failures by the operator's word.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PlaceTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-place-");

    public void Dispose() => directory.Delete(recursive: true);

    private string Mail => directory.FullName;

    private static async Task<List<DeliveryEvent>> DeliverAsync(DeliveryRig rig, params string[] recipients)
    {
        rig.Scheduler.Start();
        await rig.AddAsync(recipients);
        var events = new List<DeliveryEvent>();
        while (events.Count < recipients.Length)
            events.Add(await rig.Audit.NextAsync<DeliveryEvent>());
        return [.. events.OrderBy(static e => e.RecipientIndex)];
    }

    private static async Task<List<DeliveryEvent>> DeliverAsync(string via, params string[] recipients)
    {
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("there.test", via), new Route("*", "discard:")));
        return await DeliverAsync(rig, recipients);
    }

    private string Script(string text)
    {
        var file = Path.Combine(Mail, "script");
        File.WriteAllText(file, "#!/bin/sh\n" + text + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return file;
    }

    private static string WhyNot(string via) => Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", via)])).Message;

    [Theory]
    [InlineData("error:", "550 5.0.0 Mail to this address is not delivered", "5.0.0")]
    [InlineData("error:550 5.1.1 No such user", "550 5.1.1 No such user", "5.1.1")]
    [InlineData("error:5.1.6 They moved to example.net", "550 5.1.6 They moved to example.net", "5.1.6")]
    [InlineData("error:551 Gone", "551 5.0.0 Gone", "5.0.0")]
    [InlineData("ERROR:gone for good", "550 5.0.0 gone for good", "5.0.0")]
    public async Task Mail_fails_at_once_by_the_word_of_the_operator(string via, string reply, string status)
    {
        var failure = Assert.Single(await DeliverAsync(via, "b@there.test"));

        Assert.Equal((DeliveryOutcome.Failed, reply, status), (failure.Outcome, failure.Reply, failure.Status));
        Assert.Null(failure.Remote);
    }

    [Fact]
    public async Task An_error_of_class_4_lets_mail_wait()
    {
        var later = Assert.Single(await DeliverAsync("error:450 4.3.2 We are moving", "b@there.test"));

        Assert.Equal((DeliveryOutcome.Deferred, "450 4.3.2 We are moving"), (later.Outcome, later.Reply));
        Assert.Contains("waits here", RouteTable.DoubtOf(new Route("*", "error:450 moving")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("error:250 fine", "'250' is no code of a refusal")]
    [InlineData("error:550 4.1.1 x", "'4.1.1' is no status that goes with 550")]
    public void An_error_that_contradicts_itself_is_a_mistake(string via, string message) => Assert.Contains(message, WhyNot(via), StringComparison.Ordinal);

    /// <summary>The report on a message to lisa@there.test, and the last that the log has of her.</summary>
    private async Task<(string Report, DeliveryEvent Told)> ReportedAsync(string via, DsnNotify notify)
    {
        Directory.CreateDirectory(Path.Combine(Mail, "senders", "a"));
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("there.test", via), new Route("here.test", $"maildir:{Mail}/senders/{{user}}")) with
        {
            Retry = RetrySchedule.Default with { GiveUp = TimeSpan.Zero },
        });
        rig.Scheduler.Start();
        await rig.AddAsync(e => e with { Said = e.Said with { RecipientParameters = [new() { Notify = notify }] } }, "lisa@there.test");
        DeliveryEvent reported;
        do
            reported = await rig.Audit.NextAsync<DeliveryEvent>();
        while (reported.Recipient != "a@here.test");
        var report = await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Path.Combine(Mail, "senders", "a", "new"))));
        return (report, rig.Audit.Events.OfType<DeliveryEvent>().Last(static e => e.Recipient == "lisa@there.test"));
    }

    [Theory]
    [InlineData("maildir:{0}/away/{{user}}", null)]
    [InlineData("maildir:{0}/boxes/{{user}}", null)]
    [InlineData("pipe:{0}/none", null)]
    [InlineData("pipe:{0}/script", "exit 75")]
    [InlineData("pipe:{0}/script", "exit 127")]
    [InlineData("pipe:{0}/script", "kill -TERM $$")]
    [InlineData("pipe:{0}/script", "echo cannot open {0}/users; exit 67")]
    [InlineData("pipe:{0}/script", "echo cannot open {0}/users; exit 1")]
    [InlineData("lmtp:unix:{0}/lmtp", null)]
    public async Task What_goes_wrong_here_is_told_the_sender_without_a_path_of_this_machine_and_the_log_has_it(string via, string? script)
    {
        Directory.CreateDirectory(Path.Combine(Mail, "boxes", "lisa"));
        await File.WriteAllTextAsync(Path.Combine(Mail, "boxes", "lisa", "new"), "no directory");
        if (script is not null)
            Script(string.Format(System.Globalization.CultureInfo.InvariantCulture, script, Mail));

        var (report, told) = await ReportedAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, via, Mail), DsnNotify.Failure);

        Assert.Contains("\nAction: failed\n", report, StringComparison.Ordinal);
        Assert.DoesNotContain(Mail, report, StringComparison.Ordinal);
        Assert.Equal(DeliveryOutcome.Failed, told.Outcome);
        Assert.Contains(Mail, $"{told.Remote} {told.Reply}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_command_says_behind_a_status_of_its_own_is_for_the_sender()
    {
        var (report, _) = await ReportedAsync($"pipe:{Script("echo 5.2.1 She has left the company; exit 1")}", DsnNotify.Failure);

        Assert.Contains("Status: 5.2.1\nDiagnostic-Code: x-postern; 5.2.1 She has left the company\n", report, StringComparison.Ordinal);
    }

    /// <summary>RFC 3461 §5.2.3: nothing more comes of it. Nobody is told that somebody reads it.</summary>
    [Theory]
    [InlineData("discard:the old list", "taken by this server, which keeps no mail for this address")]
    [InlineData("maildir:{0}/{{user}}", "delivered to the mailbox")]
    [InlineData("pipe:/bin/true", "delivered to the mailbox")]
    public async Task Success_here_is_told_as_delivered_and_in_words_that_are_true(string via, string words)
    {
        Directory.CreateDirectory(Path.Combine(Mail, "lisa"));

        var (report, _) = await ReportedAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, via, Mail), DsnNotify.Success);

        Assert.Contains($"\nAction: delivered\nStatus: 2.0.0\nDiagnostic-Code: x-postern; {words}\n", report, StringComparison.Ordinal);
        Assert.DoesNotContain(Mail, report, StringComparison.Ordinal);
        Assert.DoesNotContain("old list", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Discarded_mail_is_delivered_and_nobody_has_it()
    {
        var one = Assert.Single(await DeliverAsync("discard:the old list", "b@there.test"));

        Assert.Equal((DeliveryOutcome.Delivered, "discarded: the old list", "2.0.0"), (one.Outcome, one.Reply, one.Status));
    }

    [Fact]
    public async Task A_maildir_gets_a_durable_file_of_its_owner_alone_with_the_line_ends_of_the_machine()
    {
        var mailbox = Directory.CreateDirectory(Path.Combine(Mail, "there.test", "lisa")).FullName;

        var delivery = Assert.Single(await DeliverAsync($"maildir:{Mail}/{{domain}}/{{user}}", "Lisa@There.test"));

        Assert.Equal((DeliveryOutcome.Delivered, $"delivered to {mailbox}"), (delivery.Outcome, delivery.Reply));
        var file = Assert.Single(Directory.GetFiles(Path.Combine(mailbox, "new")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal("Return-Path: <a@here.test>\nDelivered-To: Lisa@there.test\n" + DeliveryRig.Content.Replace("\r\n", "\n", StringComparison.Ordinal), await File.ReadAllTextAsync(file));
        Assert.Contains($"Q{delivery.QueueId}R", file, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(mailbox, "tmp")));
        Assert.True(Directory.Exists(Path.Combine(mailbox, "cur")));
    }

    [Fact]
    public async Task Who_has_no_directory_has_no_mailbox_and_nobody_makes_one_by_sending_mail()
    {
        Directory.CreateDirectory(Path.Combine(Mail, "lisa"));

        var events = await DeliverAsync($"maildir:{Mail}/{{user}}", "lisa@there.test", "bart@there.test", "\"../lisa\"@there.test", "\"a/b\"@there.test", "\".\"@there.test");

        Assert.Equal([DeliveryOutcome.Delivered, .. Enumerable.Repeat(DeliveryOutcome.Failed, 4)], events.Select(static e => e.Outcome));
        Assert.All(events.Skip(1), static e => Assert.Equal(("5.1.1", "no_such_user"), (e.Status, e.Category)));
        Assert.Equal([Path.Combine(Mail, "lisa")], Directory.GetDirectories(Mail));
    }

    [Fact]
    public async Task Where_the_directory_of_all_mailboxes_is_away_mail_waits()
    {
        var later = Assert.Single(await DeliverAsync($"maildir:{Mail}/unmounted/{{user}}", "lisa@there.test"));

        Assert.Equal((DeliveryOutcome.Deferred, $"{Mail}/unmounted does not exist"), (later.Outcome, later.Reply));
        Assert.Contains("waits until somebody makes that directory", RouteTable.DoubtOf(new Route("*", $"maildir:{Mail}/unmounted/{{user}}")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_in_the_place_of_a_mailbox_lets_mail_wait()
    {
        Directory.CreateDirectory(Path.Combine(Mail, "lisa"));
        await File.WriteAllTextAsync(Path.Combine(Mail, "lisa", "new"), "no directory");

        Assert.Equal(DeliveryOutcome.Deferred, Assert.Single(await DeliverAsync($"maildir:{Mail}/{{user}}", "lisa@there.test")).Outcome);
    }

    [Fact]
    public async Task A_delivery_that_nobody_recorded_takes_the_place_of_its_first_copy()
    {
        Directory.CreateDirectory(Path.Combine(Mail, "lisa"));
        var id = QueueId.New(TimeProvider.System);
        for (var run = 0; run < 2; run++)
        {
            // The second server finds the message as the first did, which died before it recorded anything.
            await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", $"maildir:{Mail}/{{user}}")));
            rig.Scheduler.Start();
            await rig.AddAsync(e => e with { Id = id }, "lisa@there.test");
            Assert.Equal(DeliveryOutcome.Delivered, (await rig.Audit.NextAsync<DeliveryEvent>()).Outcome);
        }

        Assert.Single(Directory.GetFiles(Path.Combine(Mail, "lisa", "new")));
    }

    [Theory]
    [InlineData("maildir:mail/{user}", "is not an absolute path")]
    [InlineData("maildir:/mail/../{user}", "is not an absolute path")]
    [InlineData("maildir:/mail/{usr}", "'{usr}' is not known here; there is {user}, {domain}")]
    [InlineData("maildir:/mail/{user", "a { without its }")]
    [InlineData("pipe:", "no command is named")]
    [InlineData("pipe:procmail -t", "'procmail' is not an absolute path")]
    [InlineData("pipe:/bin/true \"a", "has a quote that does not end")]
    [InlineData("pipe:/bin/{user}", "which command is run cannot depend on the message")]
    [InlineData("nowhere:x", "'nowhere:x' is not mx, smtp://")]
    public void What_cannot_be_a_place_is_a_mistake(string via, string message) => Assert.Contains(message, WhyNot(via), StringComparison.Ordinal);

    [Fact]
    public void A_place_stands_alone_and_has_nothing_that_only_servers_have()
    {
        Assert.Contains("maildir: stands alone", Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", "smtp://one.test", "maildir:/mail")])).Message, StringComparison.Ordinal);
        Assert.Equal("hello", Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", "discard:") { Hello = "x.test" }])).Key);
    }

    [Fact]
    public void Equal_places_of_two_readings_are_equal_hops()
    {
        foreach (var via in (string[])["maildir:/mail/{user}", "pipe:/bin/cat \"{user} x\"", "discard:", "error:550 5.1.1 x"])
        {
            var (one, two) = (Routes.Table(new Route("*", via)).Find("a.test"), Routes.Table(new Route("*", via)).Find("b.test"));
            Assert.Equal(one, two);
            Assert.Equal(one.GetHashCode(), two.GetHashCode());
            Assert.Equal(via, one.Name);
        }
    }

    [Fact]
    public async Task A_command_gets_the_message_once_for_each_recipient_in_words_that_no_shell_sees()
    {
        var script = Script($"{{ printf '%s|' \"$@\"; echo; env | sort; cat; }} > {Mail}/\"$USER\".out");

        var events = await DeliverAsync($"pipe:{script} -f {{sender}} \"to {{recipient}}\" {{user}}", "lisa@there.test", "\"$(id);x\"@there.test");

        Assert.All(events, static e => Assert.Equal(DeliveryOutcome.Delivered, e.Outcome));
        var lines = await File.ReadAllLinesAsync(Path.Combine(Mail, "lisa.out"));
        Assert.Equal("-f|a@here.test|to lisa@there.test|lisa|", lines[0]);
        Assert.Contains("RECIPIENT=lisa@there.test", lines);
        Assert.Contains("SENDER=a@here.test", lines);
        Assert.Contains($"QUEUE_ID={events[0].QueueId}", lines);
        Assert.DoesNotContain(lines, static line => line.StartsWith("HOME=", StringComparison.Ordinal) || line.StartsWith("DOTNET", StringComparison.Ordinal));
        Assert.Contains("Delivered-To: lisa@there.test", lines);
        Assert.Equal("Body", lines[^1]);
        Assert.StartsWith("-f|a@here.test|to \"$(id);x\"@there.test|$(id);x|", await File.ReadAllTextAsync(Path.Combine(Mail, "$(id);x.out")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 75", DeliveryOutcome.Deferred, "4.3.0")]
    [InlineData("exit 67", DeliveryOutcome.Failed, "5.1.1")]
    [InlineData("exit 77", DeliveryOutcome.Failed, "5.7.0")]
    [InlineData("exit 1", DeliveryOutcome.Failed, "5.3.0")]
    [InlineData("exit 127", DeliveryOutcome.Deferred, "4.3.0")]
    [InlineData("echo 4.2.2 The box is full; exit 1", DeliveryOutcome.Deferred, "4.2.2")]
    [InlineData("echo 5.7.1 I will not >&2; exit 75", DeliveryOutcome.Failed, "5.7.1")]
    [InlineData("kill -TERM $$", DeliveryOutcome.Deferred, "4.3.0")]
    public async Task How_a_command_ends_says_what_becomes_of_the_message(string script, DeliveryOutcome outcome, string status)
    {
        var delivery = Assert.Single(await DeliverAsync($"pipe:{Script(script)}", "lisa@there.test"));

        Assert.Equal((outcome, status), (delivery.Outcome, delivery.Status));
    }

    [Fact]
    public async Task What_a_command_says_is_kept_in_one_line_and_only_its_beginning()
    {
        var delivery = Assert.Single(await DeliverAsync($"pipe:{Script("cat >/dev/null; echo one; printf '\\033[31mtwo'; yes noise | head -c 300000; exit 65")}", "lisa@there.test"));

        Assert.StartsWith($"{Mail}/script ended with status 65: one [31mtwonoise noise", delivery.Reply, StringComparison.Ordinal);
        Assert.InRange(delivery.Reply.Length, 300, 700);
    }

    [Fact]
    public async Task A_command_that_takes_too_long_is_ended_with_all_that_it_started()
    {
        var clock = new ManualClock();
        Assert.Null(PipePlace.Read(Script($"sleep 300 & echo $! > {Mail}/child.new; mv {Mail}/child.new {Mail}/child; sleep 300"), out var place));
        var message = new OutgoingMessage(ReversePath.Null, [Mailbox.Parse("lisa@there.test")], MessageContent.From("Subject: x\r\n\r\n"u8.ToArray()));
        var running = place!.DeliverAsync(message, message.Recipients[0], new PlaceContext(Domain.Parse("relay.test"), TimeSpan.FromMinutes(10), clock), CancellationToken.None).AsTask();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!File.Exists(Path.Combine(Mail, "child")))
            await Task.Delay(TimeSpan.FromMilliseconds(10), patience.Token);
        Assert.False(running.IsCompleted);
        clock.Advance(TimeSpan.FromMinutes(11));

        var outcome = Assert.IsType<Outcome.Deferred>(await running.WaitAsync(TimeSpan.FromSeconds(30)));

        Assert.Equal($"{Mail}/script was ended, as it took longer than 600 s", outcome.Reply);
        var child = (await File.ReadAllTextAsync(Path.Combine(Mail, "child"))).Trim();
        // It is killed by now, and the kernel ends it when it gets to it.
        while (await IsAliveAsync(child))
            await Task.Delay(TimeSpan.FromMilliseconds(10), patience.Token);
    }

    private static async Task<bool> IsAliveAsync(string process)
    {
        try
        {
            return !(await File.ReadAllTextAsync($"/proc/{process}/stat")).Contains(" Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Theory]
    [InlineData("-oQ/tmp@there.test", "{recipient}", DeliveryOutcome.Failed)]
    [InlineData("-x@there.test", "{user}", DeliveryOutcome.Failed)]
    [InlineData("-x@there.test", "to={user}", DeliveryOutcome.Delivered)]
    public async Task No_address_becomes_an_option_of_a_command(string recipient, string word, DeliveryOutcome outcome) =>
        Assert.Equal(outcome, Assert.Single(await DeliverAsync($"pipe:/bin/true {word}", recipient)).Outcome);

    [Fact]
    public async Task A_command_that_is_not_there_lets_mail_wait_and_is_doubted_before()
    {
        var delivery = Assert.Single(await DeliverAsync($"pipe:{Mail}/none", "lisa@there.test"));

        Assert.Equal(DeliveryOutcome.Deferred, delivery.Outcome);
        Assert.Contains($"{Mail}/none does not exist", RouteTable.DoubtOf(new Route("*", $"pipe:{Mail}/none")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_queue_and_the_explanation_name_a_place_as_it_was_written()
    {
        var choice = Routes.Table(new Route("there.test", "maildir:/mail/{user}")).Choose(Routes.From("a@here.test"), Routes.To("there.test"));

        Assert.Equal(("there.test", "maildir:/mail/{user}"), (choice.Route, choice.Hop!.Name));
    }
}
