using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Sasl;

namespace Postern.Web.Access;

/// <summary>
/// Changes who may use the web plane. Whatever changes what an operator may ends his sessions at once, whichever process did it. There is
/// always an owner who can sign in, once there was one.
/// </summary>
/// <remarks><see cref="AccessCommands"/> says what all changes have in common.</remarks>
internal sealed class OperatorCommands(DirectoryChanges changes)
{
    private const int MaxName = 64;
    private const int MaxOperators = 1_000;
    private const int MaxInvitations = 100;

    private const string BadCode =
        "the code is not good, or not any more: each counts once, and for 15 minutes; 'postern operator invite' or 'reset' makes another";

    /// <summary>How long a code is good for.</summary>
    public static TimeSpan InvitationLife { get; } = TimeSpan.FromMinutes(15);

    /// <summary>Makes a code by which somebody becomes an operator; it is shown this once.</summary>
    public AdminOutcome Invite(string role, string? tenant)
    {
        var target = tenant is null ? role : $"{role} of {tenant}";
        if (!TryRole(role, tenant, out var problem))
            return AccessCommands.Refused(changes, "operator invite", target, problem);
        return AccessCommands.Change(changes, "operator invite", target, sql =>
            Invite(sql, role, tenant?.ToLowerInvariant(), whose: null, $"whoever has the code becomes {Article(role)} {target}"));
    }

    /// <summary>
    /// Takes the password and the one-time codes of an operator away, ends his sessions, and makes a code by which he sets them anew. For
    /// use on the machine: it is the way back in, also for the last owner.
    /// </summary>
    public AdminOutcome Reset(string name) => ChangeOne("operator reset", name, (sql, row) =>
    {
        Write(sql, row, "password = null, totp = null, totp_step = 0");
        sql.Execute("delete from invitations where operator_id = @Id", new { row.Id });
        return Invite(
            sql,
            row.RoleName,
            row.Tenant,
            row,
            $"the password of {row.Name} is good for nothing from now on, and open sessions are over; whoever has the code sets another");
    });

    /// <summary>What a code is for; null for one that is not good, or not any more.</summary>
    public Invitation? Look(string code) => changes.Directory.Read(sql => Find(sql, code));

    /// <summary>
    /// A person takes an invitation: sets the password, and shows that the authenticator works. The code is used up where that is done, and
    /// stays good where something was wrong with the rest. It takes about 45 ms of CPU, for those whose code is good.
    /// </summary>
    public AdminOutcome Enrol(EnrolOperator command)
    {
        if (Look(command.Code) is not { } invitation)
            return new AdminOutcome.Invalid(BadCode);
        if (!TryName(invitation.Operator ?? command.Name, out var name))
            return new AdminOutcome.Invalid($"a name has 1 to {MaxName} visible characters without spaces");
        if (OperatorPasswords.Problem(command.Password, name) is { } problem)
            return new AdminOutcome.Invalid(problem);
        if (OneTimeCode.StepOf(invitation.Totp, command.OneTimeCode, changes.UtcNow, after: 0) is not { } step)
            return new AdminOutcome.Invalid("the one-time code is not right: is the clock of the telephone, and that of the server?");
        var password = ScramHash.ForTyped(command.Password).Stored;
        return AccessCommands.Change(changes, "operator setup", name, sql =>
        {
            // Asked again where nobody else can take it meanwhile.
            if (Find(sql, command.Code) is not { } again)
                return new AdminOutcome.Invalid(BadCode);
            if (again.OperatorId is null && OperatorRow.Find(sql, name) is not null)
                return new AdminOutcome.Invalid($"there is an operator {name} already; choose another name");
            sql.Execute("delete from invitations where code = @hash", new { hash = HashOf(command.Code) });
            if (again.OperatorId is { } id && OperatorRow.Find(sql, id) is { } row)
            {
                Write(sql, row, "password = @password, totp = @totp, totp_step = @step", new { password, totp = again.Totp, step });
                return new AdminOutcome.Done($"{name} has a new password")
                {
                    Changes =
                    [
                        new AdminChange("password", Before: null, "set"), new AdminChange("invited by", Before: null, again.CreatedBy),
                    ],
                };
            }

            sql.Execute(
                """
                insert into operators (name, role, tenant, password, totp, totp_step, generation, created_at, changed_at)
                values (@name, @Role, @Tenant, @password, @Totp, @step, @generation, @now, @now)
                """,
                new { name, again.Role, again.Tenant, password, again.Totp, step, generation = NewGeneration(), now = changes.Now });
            return new AdminOutcome.Done($"{name} is {Article(again.Role)} {again.Role} from now on")
            {
                Changes =
                [
                    new AdminChange("operator", Before: null, name),
                    new AdminChange("role", Before: null, again.Role),
                    .. again.Tenant is { } tenant ? [new AdminChange("tenant", Before: null, tenant)] : Array.Empty<AdminChange>(),
                    new AdminChange("invited by", Before: null, again.CreatedBy),
                ],
            };
        });
    }

    /// <summary>Another password for an operator who has just shown the one that he has. All of his sessions end.</summary>
    public AdminOutcome ChangePassword(string name, Secret password)
    {
        if (OperatorPasswords.Problem(password, name) is { } problem)
            return AccessCommands.Refused(changes, "operator password", name, new AdminOutcome.Invalid(problem));
        var stored = ScramHash.ForTyped(password).Stored;
        return ChangeOne("operator password", name, (sql, row) =>
        {
            if (row.Password is null)
                return new AdminOutcome.Invalid($"{row.Name} has no password yet: the invitation is the way to set one");
            Write(sql, row, "password = @stored", new { stored });
            return new AdminOutcome.Done($"{row.Name} has a new password, and signs in again everywhere")
            {
                Changes = [new AdminChange("password", "set", "set")],
            };
        });
    }

    /// <summary>Another role. His sessions end: the next one has the new rights.</summary>
    public AdminOutcome SetRole(string name, string role, string? tenant)
    {
        if (!TryRole(role, tenant, out var problem))
            return AccessCommands.Refused(changes, "operator role", name, problem);
        return ChangeOne("operator role", name, (sql, row) =>
        {
            var whose = tenant?.ToLowerInvariant();
            if ((row.RoleName, row.Tenant) == (role, whose))
                return new AdminOutcome.AlreadyThere($"{row.Name} is {Article(role)} {role} already");
            if (role != Role.Owner.Name && IsLastOwner(sql, row) is { } last)
                return last;
            Write(sql, row, "role = @role, tenant = @whose", new { role, whose });
            return new AdminOutcome.Done($"{row.Name} is {Article(role)} {role} from now on")
            {
                Changes =
                [
                    new AdminChange("role", row.RoleName, role),
                    .. row.Tenant == whose ? Array.Empty<AdminChange>() : [new AdminChange("tenant", row.Tenant, whose)],
                ],
            };
        });
    }

    public AdminOutcome Enable(string name) => ChangeOne("operator enable", name, (sql, row) =>
    {
        if (row.Enabled != 0)
            return new AdminOutcome.AlreadyThere($"{row.Name} is enabled already");
        Write(sql, row, "enabled = 1");
        return new AdminOutcome.Done($"{row.Name} may sign in again")
        {
            Changes = [new AdminChange("enabled", "false", "true")],
        };
    });

    /// <summary>He can sign in no more, and his sessions end at once.</summary>
    public AdminOutcome Disable(string name) => ChangeOne("operator disable", name, (sql, row) =>
    {
        if (row.Enabled == 0)
            return new AdminOutcome.AlreadyThere($"{row.Name} is disabled already");
        if (IsLastOwner(sql, row) is { } last)
            return last;
        Write(sql, row, "enabled = 0");
        return new AdminOutcome.Done($"{row.Name} can sign in no more; open sessions are over")
        {
            Changes = [new AdminChange("enabled", "true", "false")],
        };
    });

    public AdminOutcome Remove(string name) => ChangeOne("operator remove", name, (sql, row) =>
    {
        if (IsLastOwner(sql, row) is { } last)
            return last;
        sql.Execute("delete from operators where id = @Id", new { row.Id });
        return new AdminOutcome.Done($"operator {row.Name} removed; open sessions are over")
        {
            Changes = [new AdminChange("operator", row.Name, After: null), new AdminChange("role", row.RoleName, After: null)],
        };
    });

    private static AdminOutcome.Invalid? IsLastOwner(SqliteConnection sql, OperatorRow row) =>
        row.RoleName == Role.Owner.Name && row.Enabled != 0 && OperatorRow.OtherOwners(sql, row.Id) == 0
            ? new($"{row.Name} is the last owner; make another one first: postern operator invite --role owner")
            : null;

    private AdminOutcome ChangeOne(string action, string name, Func<SqliteConnection, OperatorRow, AdminOutcome> change) =>
        AccessCommands.Change(changes, action, name, sql =>
        {
            if (TryName(name, out var canonical) && OperatorRow.Find(sql, canonical) is { } row)
                return change(sql, row);
            var all = OperatorRow.All(sql).Select(static one => one.Name);
            return new AdminOutcome.NotFound($"there is no operator '{name}'{NearestName.Hint(name, all)}");
        });

    /// <summary>Whatever is written ends the sessions.</summary>
    private void Write(SqliteConnection sql, OperatorRow row, string assignments, object? values = null)
    {
        var all = new DynamicParameters(values);
        all.AddDynamicParams(new { row.Id, generation = NewGeneration(), now = changes.Now });
        sql.Execute($"update operators set {assignments}, generation = @generation, changed_at = @now where id = @Id", all);
    }

    private AdminOutcome Invite(SqliteConnection sql, string role, string? tenant, OperatorRow? whose, string said)
    {
        var now = changes.UtcNow;
        sql.Execute("delete from invitations where expires_at <= @now", new { now = now.ToUnixTimeMilliseconds() });
        if (sql.ExecuteScalar<long>("select count(*) from invitations") >= MaxInvitations)
            return new AdminOutcome.Invalid($"{MaxInvitations} codes wait already; they are over in 15 minutes");
        if (whose is null && sql.ExecuteScalar<long>("select count(*) from operators") >= MaxOperators)
            return new AdminOutcome.Invalid($"there are {MaxOperators} operators, the most there can be");
        var (code, ends) = (Secret.Generate(), now + InvitationLife);
        sql.Execute(
            """
            insert into invitations (code, role, tenant, operator_id, totp, created_by, created_at, expires_at)
            values (@code, @role, @tenant, @id, @totp, @by, @at, @until)
            """,
            new
            {
                code = HashOf(code.Reveal()),
                role,
                tenant,
                id = whose?.Id,
                totp = OneTimeCode.NewSecret(),
                by = changes.By.Name,
                at = now.ToUnixTimeMilliseconds(),
                until = ends.ToUnixTimeMilliseconds(),
            });
        var details = new InvitationDetails(role, tenant, whose?.Name, changes.By.Name, ends);
        return new Invited(
            string.Create(CultureInfo.InvariantCulture, $"{said}; it counts once, until {ends.UtcDateTime:HH:mm:ss} UTC"), details, code)
        {
            Changes =
            [
                whose is null
                    ? new AdminChange("invitation", Before: null, role)
                    : new AdminChange("password", whose.Password is null ? null : "set", "to be set anew"),
                new AdminChange("expires", Before: null, KeyCommands.TextOf(ends)),
            ],
        };
    }

    private Invitation? Find(SqliteConnection sql, string code) => sql.QuerySingleOrDefault<Invitation>(
        """
        select i.role, i.tenant, i.operator_id as OperatorId, o.name as Operator, i.totp, i.created_by as CreatedBy,
            i.expires_at as ExpiresAt
        from invitations i left join operators o on o.id = i.operator_id
        where i.code = @hash and i.expires_at > @now
        """,
        new { hash = HashOf(code), now = changes.Now });

    private static bool TryRole(string name, string? tenant, out AdminOutcome.Invalid problem)
    {
        problem = null!;
        if (Role.Find(name) is not { } role)
            problem = new($"there is no role '{name}'{NearestName.Hint(name, Role.All.Select(static one => one.Name))}; there are "
                + string.Join(", ", Role.All.Select(static one => one.Name)));
        else if (role.IsTenants && tenant is null)
            problem = new($"a {name} is of a tenant; say which: --tenant");
        else if (!role.IsTenants && tenant is not null)
            problem = new(
                $"{Article(name)} {name} is of the whole server, and of no tenant; tenants have tenant-viewer and tenant-manager");
        else if (tenant is not null && AccountCommands.WhyNoTenant(tenant.ToLowerInvariant()) is { } wrong)
            problem = wrong;
        return problem is null;
    }

    private static bool TryName(string? text, out string name)
    {
        name = string.Empty;
        if (text is null || !LoginNames.TryCanonical(text.Trim(), out var canonical) || canonical.Length > MaxName
            || canonical.Any(char.IsWhiteSpace))
            return false;
        name = canonical;
        return true;
    }

    private static string Article(string word) => word[0] is 'o' ? "an" : "a";

    /// <summary>People write the code as it is shown, with hyphens, or without.</summary>
    private static byte[] HashOf(string code)
    {
        var plain = code.Trim().Replace("-", string.Empty, StringComparison.Ordinal).ToLowerInvariant();
        return SHA256.HashData(Encoding.UTF8.GetBytes(plain));
    }

    /// <summary>Another one than any before, also of an operator of the same number in another database.</summary>
    private static long NewGeneration() => BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue;
}

/// <summary>What a code is for.</summary>
/// <param name="Operator">Who sets a password anew; null for somebody new.</param>
internal sealed record Invitation(
    string Role, string? Tenant, long? OperatorId, string? Operator, byte[] Totp, string CreatedBy, long ExpiresAt)
{
    /// <summary>The role, and nothing of what is kept.</summary>
    public override string ToString() => Role;
}

/// <summary>A person takes an invitation.</summary>
/// <param name="Name">Of somebody new; nobody asks for it where a password is set anew.</param>
/// <param name="OneTimeCode">As the authenticator shows it.</param>
internal sealed record EnrolOperator(string Code, string? Name, Secret Password, string OneTimeCode)
{
    /// <summary>The name, and nothing that counts.</summary>
    public override string ToString() => Name ?? "***";
}

/// <summary>A code was made. It can be shown this once.</summary>
internal sealed record Invited(string Message, InvitationDetails Invitation, Secret Code) : AdminOutcome(Message)
{
    internal override bool IsChange => true;
}
