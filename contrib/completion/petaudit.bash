# SPDX-License-Identifier: Apache-2.0
# bash completion for petaudit: source this file, or install it as /usr/share/bash-completion/completions/petaudit
_petaudit() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'audit judge verify report devices selftest keygen policy portfolio witness --help --version' -- "$word")
        return
    fi
    case $before in
    --precision) mapfile -t COMPREPLY < <(compgen -W 'fp64 fp32 tf32 bf16 fp16 fp8 int8' -- "$word"); return ;;
    --devices) mapfile -t COMPREPLY < <(compgen -W 'cpu cuda all' -- "$word"); return ;;
    --lang) mapfile -t COMPREPLY < <(compgen -W 'en zh' -- "$word"); return ;;
    --paper) mapfile -t COMPREPLY < <(compgen -W 'a4 letter' -- "$word"); return ;;
    --out | --resume) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --meter) mapfile -t COMPREPLY < <(compgen -S : -W 'rapl csv modbus facility=csv facility=modbus pv=csv wind=csv' -- "$word"); return ;;
    --keep-free) mapfile -t COMPREPLY < <(compgen -W '1GiB off' -- "$word"); return ;;
    --duration | --hub) return ;;
    --*) [ "${word#-}" = "$word" ] && { mapfile -t COMPREPLY < <(compgen -f -- "$word"); return; } ;;
    policy) mapfile -t COMPREPLY < <(compgen -W 'list show check' -- "$word"); return ;;
    show) mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" policy list 2>/dev/null | cut -d' ' -f1)" -- "$word"); return ;;
    esac
    case ${COMP_WORDS[1]} in
    audit) options='--policy --precision --duration --devices --witness --hub --key --out --resume --meter --telemetry --plan-only --shared --lang --json --help' ;;
    judge) options='--again --claim --policy --key --out --json --help' ;;
    verify) options='--evidence --trust --json --help' ;;
    report) options='--html --pdf --key --lang --paper --help' ;;
    portfolio) options='--html --csv --json --help' ;;
    selftest) options='--devices --vectors --json --help' ;;
    witness) options='--key --listen --live --store --keep-free --out --trust --help' ;;
    devices) options='--json --help' ;;
    *) options='--help' ;;
    esac
    case $word in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}
complete -o filenames -F _petaudit petaudit
